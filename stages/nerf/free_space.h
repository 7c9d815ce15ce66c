#pragma once

// Which cells of a grid the sparse points of a reconstruction show to be free:
// a camera that sees a point looks through nothing on the way.

#include "stages/nerf/scene_frame.h"
#include "stages/nerf/tensors.h"

#include <cstdint>

namespace nerfpipe::nerf {

// resolution^3 booleans, x fastest: cells of the cube [-half, half]^3 of the
// frame, contracted space with half 2, that a line of sight passes through, or
// most of whose neighbours are so, and in which no point lies. `sights` (N x 2
// x 3, world coordinates) are camera centres and the points they see; a line
// ends shortly before its point.
torch::Tensor FreeCells(const torch::Tensor& sights,
                        const SceneFrame& frame,
                        int64_t resolution,
                        double half);

}  // namespace nerfpipe::nerf
