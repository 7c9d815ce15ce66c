#include "data/demo/texture.h"

#include "data/demo/threads.h"

#include <cmath>

namespace nerfpipe::demo {
namespace {

constexpr int kMaxTaps = 8;

uint8_t Encode(double linear) {
  return static_cast<uint8_t>(std::lround(255 * std::sqrt(Clamp01(linear))));
}

}  // namespace

Texture::Texture(Vec2 low,
                 Vec2 high,
                 double texel,
                 int threads,
                 const std::function<Vec3(Vec2)>& paint)
    : low_(low), texels_per_unit_(1 / texel) {
  Level level;
  level.width = std::max(1, static_cast<int>((high.x - low.x) / texel));
  level.height = std::max(1, static_cast<int>((high.y - low.y) / texel));
  level.texels.resize(static_cast<size_t>(level.width) * level.height * 4);
  ForEachRow(level.height, threads, [&](int y) {
    uint8_t* out = &level.texels[static_cast<size_t>(y) * level.width * 4];
    for (int x = 0; x < level.width; ++x, out += 4) {
      const Vec3 color =
          paint({low.x + (x + 0.5) * texel, low.y + (y + 0.5) * texel});
      out[0] = Encode(color.x);
      out[1] = Encode(color.y);
      out[2] = Encode(color.z);
    }
  });
  levels_.push_back(std::move(level));
  while (levels_.back().width > 1 && levels_.back().height > 1) {
    levels_.push_back(HalfOf(levels_.back()));
  }
}

Texture::Level Texture::HalfOf(const Level& level) {
  Level half;
  half.width = level.width / 2;
  half.height = level.height / 2;
  half.texels.resize(static_cast<size_t>(half.width) * half.height * 4);
  uint8_t* out = half.texels.data();
  for (int y = 0; y < half.height; ++y) {
    const uint8_t* row =
        &level.texels[static_cast<size_t>(2 * y) * level.width * 4];
    for (int x = 0; x < half.width; ++x, out += 4) {
      for (int c = 0; c < 3; ++c) {
        const uint8_t* in = row + 8 * x + c;
        const int stride = level.width * 4;
        out[c] = static_cast<uint8_t>(
            (in[0] + in[4] + in[stride] + in[stride + 4] + 2) / 4);
      }
    }
  }
  return half;
}

Vec3 Texture::Bilinear(const Level& level, double x, double y) {
  x = std::clamp(x - 0.5, 0.0, level.width - 1.0);
  y = std::clamp(y - 0.5, 0.0, level.height - 1.0);
  const int x0 = static_cast<int>(x);
  const int y0 = static_cast<int>(y);
  const int right = x0 + 1 < level.width ? 4 : 0;
  const size_t below = y0 + 1 < level.height ? size_t{4} * level.width : 0;
  const double u = x - x0;
  const double v = y - y0;
  const uint8_t* a =
      &level.texels[(static_cast<size_t>(y0) * level.width + x0) * 4];
  const uint8_t* b = a + below;
  const double w00 = (1 - u) * (1 - v);
  const double w10 = u * (1 - v);
  const double w01 = (1 - u) * v;
  const double w11 = u * v;
  return {w00 * a[0] + w10 * a[right] + w01 * b[0] + w11 * b[right],
          w00 * a[1] + w10 * a[right + 1] + w01 * b[1] + w11 * b[right + 1],
          w00 * a[2] + w10 * a[right + 2] + w01 * b[2] + w11 * b[right + 2]};
}

Vec3 Texture::Sample(Vec2 p, double minor, double major, Vec2 direction) const {
  const int taps = std::clamp(
      static_cast<int>(std::ceil(major / std::max(minor, 1e-9))), 1, kMaxTaps);
  const double width = std::max(minor, major / taps);
  const double lod =
      std::clamp(std::log2(std::max(width * texels_per_unit_, 1e-9)),
                 0.0,
                 levels_.size() - 1.001);
  const int fine = static_cast<int>(lod);
  const double blend = lod - fine;
  Vec3 sum;
  for (int i = 0; i < taps; ++i) {
    const double along = ((i + 0.5) / taps - 0.5) * major;
    const Vec2 q = (p + direction * along - low_) * texels_per_unit_;
    const double scale = 1.0 / (1 << fine);
    const Vec3 a = Bilinear(levels_[fine], q.x * scale, q.y * scale);
    const Vec3 b =
        Bilinear(levels_[fine + 1], q.x * scale * 0.5, q.y * scale * 0.5);
    sum = sum + Mix(a, b, blend);
  }
  const Vec3 root = sum * (1.0 / (255 * taps));
  return root * root;
}

}  // namespace nerfpipe::demo
