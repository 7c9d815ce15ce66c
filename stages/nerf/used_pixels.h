#pragma once

// The pixels that a mask leaves, by their number.

#include "stages/nerf/tensors.h"

#include <cstdint>
#include <vector>

namespace nerfpipe::nerf {

class UsedPixels {
 public:
  // mask: height x width bytes, contiguous; kept.
  explicit UsedPixels(torch::Tensor mask);

  int64_t Count() const { return before_.back(); }
  // Place in the image (y * width + x) of the k-th one, row by row; k is less
  // than Count().
  int64_t At(int64_t k) const;

 private:
  torch::Tensor mask_;
  // Used pixels before each block of kBlock, and all.
  std::vector<int64_t> before_;
};

}  // namespace nerfpipe::nerf
