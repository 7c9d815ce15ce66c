#include "stages/media/yuv_to_rgb.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace nerfpipe {
namespace {

// __restrict (rows never overlap) lets the compiler use vector instructions.

// Chroma between its samples by the cubic of Keys (1981) with this slope, which
// swscale takes as well. Down the image every row lies a quarter of a sample
// off one of chroma. Across, every other column lies on one (H.264, figure
// 6-1); in pictures of full range, which come from JPEG's world, columns lie as
// rows do.
constexpr float kSlope = -0.6f;

constexpr float Inner(float t) {  // |t| <= 1
  return ((kSlope + 2) * t - (kSlope + 3)) * t * t + 1;
}
constexpr float Outer(float t) {  // 1 <= |t| <= 2
  return kSlope * (((t - 5) * t + 8) * t - 4);
}

// Of four samples about a place a quarter of a sample behind the second.
constexpr float kQuarter[] = {
    Outer(1.25f), Inner(0.25f), Inner(0.75f), Outer(1.75f)};

// Chroma of one row of the image, at full width. `rows` are four rows of chroma
// whose second is the nearest; `scratch` has room for two more samples on
// either side.
void UpsampleRow(const uint8_t* const (&rows)[4],
                 int width,
                 bool between,
                 float* __restrict scratch,
                 float* __restrict out) {
  constexpr float kNear = Inner(0.5f);
  constexpr float kFar = Outer(1.5f);
  const int half = (width + 1) / 2;
  const uint8_t* __restrict a = rows[0];
  const uint8_t* __restrict b = rows[1];
  const uint8_t* __restrict c = rows[2];
  const uint8_t* __restrict d = rows[3];
  float* __restrict chroma = scratch + 2;
  for (int i = 0; i < half; ++i) {
    chroma[i] = kQuarter[0] * a[i] + kQuarter[1] * b[i] + kQuarter[2] * c[i] +
                kQuarter[3] * d[i] - 128.0f;
  }
  chroma[-2] = chroma[-1] = chroma[0];
  chroma[half] = chroma[half + 1] = chroma[half - 1];
  if (between) {
    for (int i = 0; i < half; ++i) {
      out[2 * i] = kQuarter[0] * chroma[i + 1] + kQuarter[1] * chroma[i] +
                   kQuarter[2] * chroma[i - 1] + kQuarter[3] * chroma[i - 2];
      out[2 * i + 1] = kQuarter[0] * chroma[i - 1] + kQuarter[1] * chroma[i] +
                       kQuarter[2] * chroma[i + 1] +
                       kQuarter[3] * chroma[i + 2];
    }
  } else {
    for (int i = 0; i < half; ++i) {
      out[2 * i] = chroma[i];
      out[2 * i + 1] = kNear * (chroma[i] + chroma[i + 1]) +
                       kFar * (chroma[i - 1] + chroma[i + 2]);
    }
  }
}

void Quantize(const float* __restrict values,
              int count,
              uint8_t* __restrict out) {
  for (int i = 0; i < count; ++i) {
    const int rounded = static_cast<int>(values[i] + 0.5f);
    out[i] = static_cast<uint8_t>(rounded < 0     ? 0
                                  : rounded > 255 ? 255
                                                  : rounded);
  }
}

}  // namespace

Image RgbOfYuv420(const Yuv420& yuv) {
  const int width = yuv.width;
  const int chroma_height = (yuv.height + 1) / 2;
  // BT.601 to BT.2020 all define: R = Y + 2 (1 - red) Cr, and so on.
  const double luma_scale = yuv.full_range ? 1.0 : 255.0 / 219.0;
  const double chroma_scale = yuv.full_range ? 1.0 : 255.0 / 224.0;
  const double green = 1 - yuv.red - yuv.blue;
  const double red_of_cr = 2 * (1 - yuv.red) * chroma_scale;
  const double blue_of_cb = 2 * (1 - yuv.blue) * chroma_scale;
  const auto scale = static_cast<float>(luma_scale);
  const float offset = yuv.full_range ? 0.0f : 16.0f;
  const auto r_cr = static_cast<float>(red_of_cr);
  const auto b_cb = static_cast<float>(blue_of_cb);
  const auto g_cr = static_cast<float>(-red_of_cr * yuv.red / green);
  const auto g_cb = static_cast<float>(-blue_of_cb * yuv.blue / green);

  const auto padded = static_cast<size_t>(width) + 6;
  std::vector<float> scratch(padded);
  std::vector<float> cb(padded);
  std::vector<float> cr(padded);
  std::vector<float> channel[3];
  std::vector<uint8_t> bytes[3];
  for (auto& values : channel) values.resize(padded);
  for (auto& values : bytes) values.resize(padded);

  Image image(width, yuv.height, 3);
  for (int y = 0; y < yuv.height; ++y) {
    const int near = y / 2;
    const int towards = y % 2 == 0 ? -1 : 1;
    for (int c = 1; c < 3; ++c) {
      const auto row = [&](int steps) {
        return yuv.planes[c] +
               std::clamp(near + steps * towards, 0, chroma_height - 1) *
                   yuv.strides[c];
      };
      UpsampleRow({row(-1), row(0), row(1), row(2)},
                  width,
                  yuv.full_range,
                  scratch.data(),
                  c == 1 ? cb.data() : cr.data());
    }
    const uint8_t* __restrict luma = yuv.planes[0] + y * yuv.strides[0];
    const float* __restrict u = cb.data();
    const float* __restrict v = cr.data();
    float* __restrict r = channel[0].data();
    float* __restrict g = channel[1].data();
    float* __restrict b = channel[2].data();
    for (int x = 0; x < width; ++x) {
      const float light = scale * (static_cast<float>(luma[x]) - offset);
      r[x] = light + r_cr * v[x];
      g[x] = light + g_cr * v[x] + g_cb * u[x];
      b[x] = light + b_cb * u[x];
    }
    for (int c = 0; c < 3; ++c) {
      Quantize(channel[c].data(), width, bytes[c].data());
    }
    uint8_t* __restrict out = image.At(0, y);
    for (int x = 0; x < width; ++x) {
      out[3 * x] = bytes[0].data()[x];
      out[3 * x + 1] = bytes[1].data()[x];
      out[3 * x + 2] = bytes[2].data()[x];
    }
  }
  return image;
}

}  // namespace nerfpipe
