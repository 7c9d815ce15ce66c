#pragma once

// Every axis convention is converted here and nowhere else.
//
//   COLMAP, OpenCV   x right, y down,  z forward    (cam_from_world on disk)
//   OpenGL, NeRF     x right, y up,    z backward   (transforms.json, and the
//                                                    loader of nerf-pytorch)
//   LLFF             x down,  y right, z backward   (poses_bounds.npy)

#include "stages/common/camera.h"

namespace nerfpipe {

// The pose of the same camera with its own axes renamed. Argument and result
// are both world_from_camera.
Rigid3 OpenGlFromColmapAxes(const Rigid3& world_from_camera);
Rigid3 ColmapFromOpenGlAxes(const Rigid3& world_from_camera);
Rigid3 LlffFromColmapAxes(const Rigid3& world_from_camera);
Rigid3 OpenGlFromLlffAxes(const Rigid3& world_from_camera);

}  // namespace nerfpipe
