#pragma once

// transforms.json for instant-ngp and nerfstudio.

#include "stages/common/colmap_model.h"
#include "stages/llff/shared_camera.h"

#include <set>
#include <string>

namespace nerfpipe {

// The file's text: intrinsics once (PINHOLE, in pixels with corners at
// integers), or in each frame where the cameras differ; then a frame per image
// in the order of the names, with transform_matrix = world_from_camera in
// OpenGL axes, file_path "images/NAME", and mask_path "masks/MASK" of an image
// whose mask is among `masks` (MaskName). `scale`, `offset`, `up` and
// `aabb_scale` place the scene in instant-ngp's unit cube; nerfstudio orients
// and scales by itself. Source: instant-ngp, src/nerf_loader.cu; nerfstudio,
// data conventions.
std::string TransformsJson(const ColmapModel& model,
                           const Pinholes& cameras,
                           const std::set<std::string>& masks);

}  // namespace nerfpipe
