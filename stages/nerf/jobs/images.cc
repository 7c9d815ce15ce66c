#include "stages/nerf/jobs/images.h"

#include "pipeline/base/error.h"
#include "stages/nerf/trainer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace nerfpipe {
namespace {

// Dark blue over magenta and orange to light yellow; CIE lightness rises by
// about 12 from one to the next.
constexpr std::array<std::array<double, 3>, 8> kColours = {{{8, 8, 28},
                                                            {42, 20, 92},
                                                            {98, 24, 122},
                                                            {156, 38, 110},
                                                            {210, 66, 74},
                                                            {240, 118, 42},
                                                            {250, 182, 62},
                                                            {252, 246, 178}}};

// Many times finer than what one sees of it.
constexpr int kShades = 4096;

std::array<uint8_t, 3> ColourAt(double share) {
  const double position = std::clamp(share, 0.0, 1.0) * (kColours.size() - 1);
  const size_t below =
      std::min(static_cast<size_t>(position), kColours.size() - 2);
  const double t = position - below;
  std::array<uint8_t, 3> colour;
  for (int c = 0; c < 3; ++c) {
    colour[c] = static_cast<uint8_t>(
        std::lround((1 - t) * kColours[below][c] + t * kColours[below + 1][c]));
  }
  return colour;
}

}  // namespace

Image ToImage(const torch::Tensor& rgb) {
  const torch::Tensor bytes =
      nerf::ToBytes(rgb.detach().to(torch::kCPU)).contiguous();
  NERFPIPE_CHECK(bytes.dim() == 3 && bytes.size(2) == 3);
  Image image(
      static_cast<int>(bytes.size(1)), static_cast<int>(bytes.size(0)), 3);
  std::copy_n(
      bytes.data_ptr<uint8_t>(), image.pixels.size(), image.pixels.begin());
  return image;
}

torch::Tensor OverBackground(const torch::Tensor& image,
                             const std::array<double, 3>& background) {
  const torch::Tensor colours = image.to(torch::kFloat) / 255;
  if (image.size(2) == 3) {
    return colours;
  }
  using torch::indexing::Slice;
  const torch::Tensor alpha = colours.index({"...", Slice(3, 4)});
  const torch::Tensor behind = torch::tensor(
      {background[0], background[1], background[2]}, torch::kFloat);
  return colours.index({"...", Slice(0, 3)}) * alpha + behind * (1 - alpha);
}

Image SideBySide(const Image& left, const Image& right) {
  NERFPIPE_CHECK(left.width == right.width && left.height == right.height &&
                 left.channels == right.channels);
  Image both(2 * left.width, left.height, left.channels);
  const size_t row = static_cast<size_t>(left.width) * left.channels;
  for (int y = 0; y < left.height; ++y) {
    std::copy_n(left.At(0, y), row, both.At(0, y));
    std::copy_n(right.At(0, y), row, both.At(left.width, y));
  }
  return both;
}

Image DepthImage(const torch::Tensor& depth,
                 const torch::Tensor& opacity,
                 const DepthScale& scale) {
  NERFPIPE_CHECK(scale.near > 0 && scale.far > scale.near);
  const torch::Tensor depths =
      depth.detach().to(torch::kCPU, torch::kDouble).contiguous();
  const torch::Tensor opacities =
      opacity.detach().to(torch::kCPU, torch::kDouble).contiguous();
  NERFPIPE_CHECK(depths.dim() == 2 && depths.sizes() == opacities.sizes());
  static const std::vector<std::array<uint8_t, 3>> shades = [] {
    std::vector<std::array<uint8_t, 3>> table;
    for (int i = 0; i <= kShades; ++i) {
      table.push_back(ColourAt(static_cast<double>(i) / kShades));
    }
    return table;
  }();
  Image image(
      static_cast<int>(depths.size(1)), static_cast<int>(depths.size(0)), 3);
  const double* d = depths.data_ptr<double>();
  const double* o = opacities.data_ptr<double>();
  for (int64_t i = 0; i < depths.numel(); ++i) {
    if (!(o[i] > 0.5) || !(d[i] > 0)) {
      continue;
    }
    const double share =
        (1 / d[i] - 1 / scale.far) / (1 / scale.near - 1 / scale.far);
    const auto shade =
        static_cast<size_t>(std::clamp(share, 0.0, 1.0) * kShades + 0.5);
    std::copy_n(shades[shade].begin(), 3, image.pixels.begin() + 3 * i);
  }
  return image;
}

}  // namespace nerfpipe
