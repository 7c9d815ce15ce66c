#include "stages/nerf/void_pixels.h"

#include <algorithm>

namespace nerfpipe::nerf {

VoidPixels::VoidPixels(const torch::Tensor& image) {
  if (image.size(2) != 4) return;
  const int64_t height = image.size(0);
  const int64_t width = image.size(1);
  block_ = std::max<int64_t>(1, std::max(width, height) / 48);
  columns_ = (width + block_ - 1) / block_;
  const int64_t rows = (height + block_ - 1) / block_;
  void_.assign(static_cast<size_t>(columns_ * rows), 1);
  const torch::Tensor contiguous = image.contiguous();
  const uint8_t* bytes = contiguous.data_ptr<uint8_t>();
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      if (bytes[4 * (y * width + x) + 3] == 0) continue;
      const int64_t column = x / block_;
      const int64_t row = y / block_;
      for (int64_t r = std::max<int64_t>(0, row - 1);
           r <= std::min(rows - 1, row + 1);
           ++r) {
        for (int64_t c = std::max<int64_t>(0, column - 1);
             c <= std::min(columns_ - 1, column + 1);
             ++c) {
          void_[r * columns_ + c] = 0;
        }
      }
      // On to the next block of this row.
      x = (column + 1) * block_ - 1;
    }
  }
}

}  // namespace nerfpipe::nerf
