#pragma once

// The content of poses_bounds.npy.

#include "stages/common/colmap_model.h"
#include "stages/common/npy.h"
#include "stages/llff/depth_bounds.h"
#include "stages/llff/shared_camera.h"

#include <vector>

namespace nerfpipe {

// N x 17: a row per image in the order of the names; 15 numbers of a row-major
// 3 x 5 matrix [LLFF axes (down, right, backward) | centre | height, width,
// focal] of the image's camera, then near and far. `bounds` has a row per image
// in the same order.
// Source: LLFF, llff/poses/pose_utils.py, load_colmap_data and save_poses.
NpyArray PosesBoundsArray(const ColmapModel& model,
                          const Pinholes& cameras,
                          const std::vector<DepthBounds>& bounds);

}  // namespace nerfpipe
