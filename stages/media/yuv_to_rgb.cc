#include "stages/media/yuv_to_rgb.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace nerfpipe {
namespace {

// __restrict (rows never overlap) lets the compiler use vector instructions.

// Chroma of one row of the image, at full width.
void UpsampleRow(const uint8_t* __restrict near,
                 const uint8_t* __restrict far,
                 int width,
                 float* __restrict scratch,
                 float* __restrict out) {
  const int half = (width + 1) / 2;
  for (int i = 0; i < half; ++i) {
    scratch[i] = 0.75f * near[i] + 0.25f * far[i] - 128.0f;
  }
  scratch[half] = scratch[half - 1];
  for (int i = 0; i < half; ++i) {
    out[2 * i] = scratch[i];
    out[2 * i + 1] = 0.5f * (scratch[i] + scratch[i + 1]);
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

  const auto padded = static_cast<size_t>(width) + 2;
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
    const int far =
        std::clamp(y % 2 == 0 ? near - 1 : near + 1, 0, chroma_height - 1);
    for (int c = 1; c < 3; ++c) {
      UpsampleRow(yuv.planes[c] + near * yuv.strides[c],
                  yuv.planes[c] + far * yuv.strides[c],
                  width,
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
