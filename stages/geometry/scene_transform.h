#pragma once

// The frame of all that leaves the program: upright, centred, right-handed.

#include "stages/geometry/camera_geometry.h"

#include <array>
#include <vector>

namespace nerfpipe {

struct SceneTransform {
  // Row-major 3 x 4 similarity [scale * rotation | translation], from the
  // coordinates of sparse/0 (or the data set's) to those of exports: x right, y
  // up, z towards the viewer.
  std::array<double, 12> exported_from_world = {
      1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0};
  double scale = 1;  // of that transform
};

// With y up for whoever held the camera, the origin where the cameras look, or
// between them where they do not look at one place, and the first camera
// towards +z. The scale is 1: pictures do not tell a real one. `poses` are in
// the order of their names and not empty.
SceneTransform UprightTransform(const std::vector<Pose>& poses);

// What `transform` makes of a point, or of a pose.
Vec3 Transformed(const SceneTransform& transform, const Vec3& point);
Pose Transformed(const SceneTransform& transform, const Pose& pose);

}  // namespace nerfpipe
