#include "stages/nerf/splat_files/splat_file.h"

#include "stages/nerf/splat_files/file_bytes.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace nerfpipe::splats {
namespace {

// Of a record.
constexpr size_t kMean = 0;
constexpr size_t kScale = 12;
constexpr size_t kColour = 24;
constexpr size_t kOpacity = 27;
constexpr size_t kRotation = 28;
constexpr size_t kSize = 32;

std::vector<size_t> OrderOf(const SplatCloud& cloud) {
  std::vector<double> weights(cloud.count());
  for (size_t i = 0; i < weights.size(); ++i) {
    const float* const scale = cloud.log_scales.data() + 3 * i;
    // By its logarithm, which neither vanishes nor overflows.
    weights[i] = static_cast<double>(scale[0]) + scale[1] + scale[2] +
                 std::log(OpacityOf(cloud.logits[i]));
  }
  std::vector<size_t> order(cloud.count());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return weights[a] > weights[b];
  });
  return order;
}

}  // namespace

std::string SplatBytes(const SplatCloud& cloud) {
  CheckWritable(cloud);
  std::string bytes;
  bytes.reserve(kSize * cloud.count());
  for (const size_t i : OrderOf(cloud)) {
    for (size_t k = 0; k < 3; ++k) Append(cloud.means[3 * i + k], &bytes);
    for (size_t k = 0; k < 3; ++k) {
      Append(std::exp(cloud.log_scales[3 * i + k]), &bytes);
    }
    for (size_t k = 0; k < 3; ++k) {
      Append(ByteOf(255 * ChannelOf(cloud.colours[3 * i + k])), &bytes);
    }
    Append(ByteOf(255 * OpacityOf(cloud.logits[i])), &bytes);
    for (size_t k = 0; k < 4; ++k) {
      Append(ByteOf(128 + 128.0 * cloud.rotations[4 * i + k]), &bytes);
    }
  }
  return bytes;
}

SplatCloud ReadSplat(std::string_view bytes, const std::string& name) {
  if (bytes.size() % kSize != 0) {
    FailRead(name,
             "has " + std::to_string(bytes.size()) +
                 " bytes, which is no number of records of 32 bytes");
  }
  SplatCloud cloud = MakeCloud(/*degree=*/0, bytes.size() / kSize);
  cloud.antialiased = false;
  for (size_t at = 0; at < bytes.size(); at += kSize) {
    const char* const record = bytes.data() + at;
    Splat splat;
    for (size_t k = 0; k < 3; ++k) {
      splat.mean[k] = Load<float>(record + kMean + 4 * k);
      splat.log_scale[k] = std::log(Load<float>(record + kScale + 4 * k));
      splat.colour[k] =
          CoefficientOf(Load<uint8_t>(record + kColour + k) / 255.0);
    }
    splat.logit = LogitOf(Load<uint8_t>(record + kOpacity) / 255.0);
    for (size_t k = 0; k < 4; ++k) {
      splat.rotation[k] = Load<uint8_t>(record + kRotation + k) - 128.0f;
    }
    AddSplat(splat, &cloud);
  }
  CheckRead(cloud, name);
  return cloud;
}

}  // namespace nerfpipe::splats
