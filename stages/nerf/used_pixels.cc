#include "stages/nerf/used_pixels.h"

#include <algorithm>
#include <utility>

namespace nerfpipe::nerf {
namespace {

constexpr int64_t kBlock = 64;

}  // namespace

UsedPixels::UsedPixels(torch::Tensor mask) : mask_(std::move(mask)) {
  const uint8_t* bytes = mask_.data_ptr<uint8_t>();
  const int64_t pixels = mask_.numel();
  before_.push_back(0);
  for (int64_t begin = 0; begin < pixels; begin += kBlock) {
    const int64_t end = std::min(begin + kBlock, pixels);
    before_.push_back(before_.back() + (end - begin) -
                      std::count(bytes + begin, bytes + end, 0));
  }
}

int64_t UsedPixels::At(int64_t k) const {
  const auto after = std::upper_bound(before_.begin(), before_.end(), k);
  const int64_t block = after - before_.begin() - 1;
  const uint8_t* bytes = mask_.data_ptr<uint8_t>();
  int64_t place = kBlock * block;
  for (int64_t left = k - before_[block];; ++place) {
    if (bytes[place] != 0 && left-- == 0) return place;
  }
}

}  // namespace nerfpipe::nerf
