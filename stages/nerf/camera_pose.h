#pragma once

// The pose of a camera as axes and a centre, and back.

#include "stages/geometry/camera_geometry.h"
#include "stages/nerf/scene.h"

namespace nerfpipe::nerf {

inline Pose PoseOf(const Camera& camera) {
  const auto& m = camera.world_from_camera;
  return {{m[0], m[4], m[8]},
          {m[1], m[5], m[9]},
          {m[2], m[6], m[10]},
          {m[3], m[7], m[11]}};
}

inline void SetPose(const Pose& pose, Camera* camera) {
  const auto& [r, u, b, c] = pose;
  camera->world_from_camera = {
      r.x, u.x, b.x, c.x, r.y, u.y, b.y, c.y, r.z, u.z, b.z, c.z};
}

}  // namespace nerfpipe::nerf
