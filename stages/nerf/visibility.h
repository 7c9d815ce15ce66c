#pragma once

// Which cells of a grid lie in the view of some camera.

#include "stages/nerf/scene.h"
#include "stages/nerf/scene_frame.h"
#include "stages/nerf/tensors.h"

#include <cstdint>
#include <vector>

namespace nerfpipe::nerf {

// resolution^3 booleans, x fastest: cells of the cube [-half, half]^3 of the
// frame that may project into an image. With half 2 the cube is contracted
// space. Cells are taken as balls, so none in view is missed.
torch::Tensor VisibleCells(const std::vector<Camera>& cameras,
                           const SceneFrame& frame,
                           int64_t resolution,
                           double half);

// The same cells: true where the transparent pixels (alpha 0) of several images
// show that nothing is there. `images` (H x W x 3 or 4 bytes) belong to the
// cameras; those without alpha have no say. More than one in twenty must
// agree, so that in a capture of many images one bad mask does no harm.
torch::Tensor EmptyCells(const std::vector<Camera>& cameras,
                         const std::vector<torch::Tensor>& images,
                         const SceneFrame& frame,
                         int64_t resolution,
                         double half);

}  // namespace nerfpipe::nerf
