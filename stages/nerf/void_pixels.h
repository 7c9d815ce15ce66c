#pragma once

// Pixels that can teach nothing where transparent pixels carve the scene:
// transparent themselves, and all around, too.

#include "stages/nerf/tensors.h"

#include <cstdint>
#include <vector>

namespace nerfpipe::nerf {

class VoidPixels {
 public:
  // image: H x W x 3 or 4 bytes; without alpha there are none.
  explicit VoidPixels(const torch::Tensor& image);

  // Whether the block of pixels that this one lies in and its neighbours are
  // transparent. Blocks are a 48th of the longer side wide, or a little less:
  // more than a cell of the occupancy grid looks like in a usual image of a
  // scene in a box, so that the ray meets none that is not carved away.
  bool Has(int64_t x, int64_t y) const {
    return !void_.empty() && void_[y / block_ * columns_ + x / block_] != 0;
  }

 private:
  int64_t block_ = 1, columns_ = 0;
  std::vector<uint8_t> void_;  // of blocks, row by row; empty: none
};

}  // namespace nerfpipe::nerf
