// Colour conversion against the same formulas in double, written down again.

#include "stages/media/tone_map.h"
#include "stages/media/yuv_to_rgb.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

// The cubic of Keys (1981) with slope -0.6.
double Cubic(double t) {
  constexpr double kSlope = -0.6;
  t = std::abs(t);
  if (t >= 2) return 0;
  if (t >= 1) return kSlope * (t * t * t - 5 * t * t + 8 * t - 4);
  return (kSlope + 2) * t * t * t - (kSlope + 3) * t * t + 1;
}

struct Planes {
  int width;
  int height;
  int stride;  // of chroma; luma has twice as much
  std::array<std::vector<uint8_t>, 3> bytes;

  // Chroma between its samples.
  double At(int plane, double x, double y) const {
    double sum = 0;
    for (int j = -1; j <= 2; ++j) {
      for (int i = -1; i <= 2; ++i) {
        const double column = std::floor(x) + i;
        const double row = std::floor(y) + j;
        const auto at = static_cast<size_t>(
            std::clamp(row, 0.0, (height + 1) / 2 - 1.0) * stride +
            std::clamp(column, 0.0, (width + 1) / 2 - 1.0));
        sum += Cubic(x - column) * Cubic(y - row) *
               bytes[static_cast<size_t>(plane)][at];
      }
    }
    return sum;
  }
};

Planes RandomPlanes(int width, int height, uint32_t seed) {
  std::mt19937 random(seed);
  Planes planes{width, height, (width + 1) / 2 + 5, {}};
  for (size_t c = 0; c < 3; ++c) {
    const int stride = c == 0 ? 2 * planes.stride : planes.stride;
    planes.bytes[c].resize(static_cast<size_t>(stride) * height);
    // Mostly within what RGB can show.
    for (uint8_t& byte : planes.bytes[c]) {
      byte = static_cast<uint8_t>(c == 0 ? 10 + random() % 236
                                         : 88 + random() % 80);
    }
  }
  return planes;
}

void ExpectTwinAgrees(const Planes& planes,
                      double red,
                      double blue,
                      bool full) {
  Yuv420 yuv;
  yuv.width = planes.width;
  yuv.height = planes.height;
  for (size_t c = 0; c < 3; ++c) {
    yuv.planes[c] = planes.bytes[c].data();
    yuv.strides[c] = c == 0 ? 2 * planes.stride : planes.stride;
  }
  yuv.red = red;
  yuv.blue = blue;
  yuv.full_range = full;
  const Image image = RgbOfYuv420(yuv);
  ASSERT_EQ(image.width, planes.width);
  ASSERT_EQ(image.height, planes.height);
  for (int y = 0; y < planes.height; ++y) {
    for (int x = 0; x < planes.width; ++x) {
      const double column = full ? (x + 0.5) / 2 - 0.5 : x / 2.0;
      const double row = (y + 0.5) / 2 - 0.5;
      const auto at = static_cast<size_t>(y * 2 * planes.stride + x);
      double luma = planes.bytes[0][at];
      double cb = planes.At(1, column, row) - 128;
      double cr = planes.At(2, column, row) - 128;
      if (!full) {
        luma = (luma - 16) * 255 / 219;
        cb *= 255.0 / 224;
        cr *= 255.0 / 224;
      }
      const double r = luma + 2 * (1 - red) * cr;
      const double b = luma + 2 * (1 - blue) * cb;
      const double g = (luma - red * r - blue * b) / (1 - red - blue);
      const std::array<double, 3> expected = {r, g, b};
      for (size_t c = 0; c < 3; ++c) {
        ASSERT_NEAR(
            image.At(x, y)[c], std::clamp(expected[c], 0.0, 255.0), 0.51)
            << x << " " << y << " " << c;
      }
    }
  }
}

TEST(RgbOfYuv420, AgreesWithItsTwin) {
  const std::vector<std::array<int, 2>> sizes = {
      {37, 22}, {16, 16}, {50, 9}, {1, 1}, {2, 3}, {3, 2}};
  for (const auto& [width, height] : sizes) {
    for (const bool full : {false, true}) {
      SCOPED_TRACE(std::to_string(width) + "x" + std::to_string(height) +
                   (full ? " full" : ""));
      const Planes planes = RandomPlanes(width, height, 7);
      ExpectTwinAgrees(planes, 0.2126, 0.0722, full);
      ExpectTwinAgrees(planes, 0.299, 0.114, full);
      ExpectTwinAgrees(planes, 0.2627, 0.0593, full);
    }
  }
}

// cd/m2 of a signal (SMPTE ST 2084).
double PqLight(double signal) {
  const double m1 = 2610.0 / 16384;
  const double m2 = 2523.0 / 4096 * 128;
  const double c1 = 3424.0 / 4096;
  const double c2 = 2413.0 / 4096 * 32;
  const double c3 = 2392.0 / 4096 * 32;
  const double root = std::pow(signal, 1 / m2);
  return 10000 * std::pow(std::max(root - c1, 0.0) / (c2 - c3 * root), 1 / m1);
}

// Relative scene light of a signal (ARIB STD-B67).
double HlgLight(double signal) {
  const double a = 0.17883277;
  const double b = 1 - 4 * a;
  const double c = 0.5 - a * std::log(4 * a);
  return signal <= 0.5 ? signal * signal / 3
                       : (std::exp((signal - c) / a) + b) / 12;
}

std::array<double, 3> Twin(HdrTransfer transfer,
                           const std::array<double, 3>& signal) {
  std::array<double, 3> light;  // 1 is reference white
  for (size_t c = 0; c < 3; ++c) {
    light[c] = transfer == HdrTransfer::kPq ? PqLight(signal[c]) / 203
                                            : HlgLight(signal[c]);
  }
  if (transfer == HdrTransfer::kHlg) {
    const double luminance =
        0.2627 * light[0] + 0.6780 * light[1] + 0.0593 * light[2];
    for (double& value : light) {
      value *= 1000.0 / 203 * std::pow(luminance, 0.2);
    }
  }
  // Reinhard's curve from half of the way on, in the brightest channel.
  const double brightest = *std::max_element(light.begin(), light.end());
  if (brightest > 0.5) {
    const double top = 2 * (1000.0 / 203 - 0.5);
    const double over = 2 * (brightest - 0.5);
    const double mapped = over * (1 + over / (top * top)) / (1 + over);
    for (double& value : light) {
      value *= std::min(0.5 + 0.5 * mapped, 1.0) / brightest;
    }
  }
  const double to709[3][3] = {{1.6605, -0.5876, -0.0728},
                              {-0.1246, 1.1329, -0.0083},
                              {-0.0182, -0.1006, 1.1187}};
  std::array<double, 3> srgb;
  for (size_t c = 0; c < 3; ++c) {
    double linear = 0;
    for (size_t k = 0; k < 3; ++k) linear += to709[c][k] * light[k];
    linear = std::clamp(linear, 0.0, 1.0);
    srgb[c] =
        255 * (linear <= 0.0031308 ? 12.92 * linear
                                   : 1.055 * std::pow(linear, 1 / 2.4) - 0.055);
  }
  return srgb;
}

TEST(ToneMap, AgreesWithItsTwin) {
  std::mt19937 random(11);
  std::vector<uint16_t> signals;
  for (int i = 0; i < 3 * 400; ++i) {
    signals.push_back(static_cast<uint16_t>(random() % 65536));
  }
  // Grays over the whole range, both sides of HLG's seam and of the knee.
  for (int i = 0; i <= 64; ++i) {
    signals.insert(signals.end(), 3, static_cast<uint16_t>(i * 65535 / 64));
  }
  const size_t count = signals.size() / 3;
  for (const HdrTransfer transfer : {HdrTransfer::kPq, HdrTransfer::kHlg}) {
    std::vector<uint8_t> srgb(3 * count);
    ToneMap(transfer, signals.data(), static_cast<int64_t>(count), srgb.data());
    for (size_t i = 0; i < count; ++i) {
      const std::array<double, 3> expected =
          Twin(transfer,
               {signals[3 * i] / 65535.0,
                signals[3 * i + 1] / 65535.0,
                signals[3 * i + 2] / 65535.0});
      for (size_t c = 0; c < 3; ++c) {
        ASSERT_NEAR(srgb[3 * i + c], expected[c], 1.01)
            << i << " " << c << " " << static_cast<int>(transfer);
      }
    }
  }
}

}  // namespace
}  // namespace nerfpipe
