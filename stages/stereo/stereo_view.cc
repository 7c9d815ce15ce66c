#include "stages/stereo/stereo_view.h"

#include <algorithm>
#include <cmath>

namespace nerfpipe::stereo {
namespace {

// The rotation backwards, of a vector in camera coordinates.
std::array<float, 3> ToWorld(const View& view, const float (&v)[3]) {
  std::array<float, 3> world;
  for (int k = 0; k < 3; ++k) {
    world[k] = view.rotation[k] * v[0] + view.rotation[3 + k] * v[1] +
               view.rotation[6 + k] * v[2];
  }
  return world;
}

}  // namespace

void View::SetPicture(const float* grey) {
  const auto at = [&](int row, int column) {
    const size_t pixel =
        static_cast<size_t>(std::min(row, height - 1)) * width +
        std::min(column, width - 1);
    return static_cast<uint32_t>(
        std::clamp(std::lround(255 * grey[pixel]), 0L, 255L));
  };
  corners.clear();
  corners.reserve(static_cast<size_t>(width) * height);
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column) {
      corners.push_back(at(row, column) | at(row, column + 1) << 8 |
                        at(row + 1, column) << 16 |
                        at(row + 1, column + 1) << 24);
    }
  }
}

std::array<float, 3> View::Centre() const {
  return ToWorld(*this, {-translation[0], -translation[1], -translation[2]});
}

std::array<float, 3> View::PointAt(float x, float y, float depth) const {
  return ToWorld(*this,
                 {(x - cx) / fx * depth - translation[0],
                  (y - cy) / fy * depth - translation[1],
                  depth - translation[2]});
}

}  // namespace nerfpipe::stereo
