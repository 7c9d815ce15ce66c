#include "stages/media/tone_map.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace nerfpipe {
namespace {

constexpr float kReferenceWhite = 203;  // cd/m2
constexpr float kPeak = 1000;           // cd/m2

// BT.2100, table 4: signal to cd/m2.
double LightOfPq(double signal) {
  const double root = std::pow(signal, 1 / 78.84375);
  const double base =
      std::max(root - 0.8359375, 0.0) / (18.8515625 - 18.6875 * root);
  return 10000 * std::pow(base, 1 / 0.1593017578125);
}

// BT.2100, table 5: signal to relative scene light.
double SceneLightOfHlg(double signal) {
  if (signal <= 0.5) return signal * signal / 3;
  return (std::exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12;
}

using Curve = std::vector<float>;

const Curve& SignalCurve(HdrTransfer transfer) {
  static const auto make = [](double (*light)(double)) {
    Curve curve(65536);
    for (size_t i = 0; i < curve.size(); ++i) {
      curve[i] = static_cast<float>(light(static_cast<double>(i) / 65535));
    }
    return curve;
  };
  static const Curve pq = make(LightOfPq);
  static const Curve hlg = make(SceneLightOfHlg);
  return transfer == HdrTransfer::kPq ? pq : hlg;
}

constexpr int kSteps = 16384;

const std::vector<uint8_t>& SrgbCurve() {
  static const std::vector<uint8_t> curve = [] {
    std::vector<uint8_t> made(kSteps + 1);
    for (int i = 0; i <= kSteps; ++i) {
      const double x = static_cast<double>(i) / kSteps;
      const double y =
          x <= 0.0031308 ? 12.92 * x : 1.055 * std::pow(x, 1 / 2.4) - 0.055;
      made[static_cast<size_t>(i)] = static_cast<uint8_t>(255 * y + 0.5);
    }
    return made;
  }();
  return curve;
}

// 1 is reference white. The knee is smooth, and the peak lands on 1.
float Compress(float light) {
  constexpr float kKnee = 0.5f;
  if (light <= kKnee) return light;
  constexpr float kRest = 1 - kKnee;
  constexpr float kTop = (kPeak / kReferenceWhite - kKnee) / kRest;
  const float over = (light - kKnee) / kRest;
  const float mapped = over * (1 + over / (kTop * kTop)) / (1 + over);
  return std::min(kKnee + kRest * mapped, 1.0f);
}

}  // namespace

void ToneMap(HdrTransfer transfer,
             const uint16_t* bt2100,
             int64_t count,
             uint8_t* srgb) {
  const Curve& signal = SignalCurve(transfer);
  const std::vector<uint8_t>& encode = SrgbCurve();
  // BT.2087: BT.2020 to BT.709 primaries, linear light.
  constexpr float kPrimaries[3][3] = {{1.6605f, -0.5876f, -0.0728f},
                                      {-0.1246f, 1.1329f, -0.0083f},
                                      {-0.0182f, -0.1006f, 1.1187f}};
  for (int64_t i = 0; i < count; ++i) {
    float light[3];
    for (int c = 0; c < 3; ++c) light[c] = signal[bt2100[3 * i + c]];
    float scale = 1 / kReferenceWhite;
    if (transfer == HdrTransfer::kHlg) {
      // The system gamma of a display of 1000 cd/m2 (BT.2100, note 5e).
      const float luminance =
          0.2627f * light[0] + 0.6780f * light[1] + 0.0593f * light[2];
      scale *= kPeak * std::pow(luminance, 0.2f);
    }
    const float brightest = scale * std::max({light[0], light[1], light[2]});
    if (brightest > 0) scale *= Compress(brightest) / brightest;
    for (int c = 0; c < 3; ++c) {
      const float value =
          scale * (kPrimaries[c][0] * light[0] + kPrimaries[c][1] * light[1] +
                   kPrimaries[c][2] * light[2]);
      const float clipped = std::clamp(value, 0.0f, 1.0f);
      srgb[3 * i + c] = encode[static_cast<size_t>(clipped * kSteps + 0.5f)];
    }
  }
}

}  // namespace nerfpipe
