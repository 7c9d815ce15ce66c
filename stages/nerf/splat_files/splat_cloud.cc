#include "stages/nerf/splat_files/splat_cloud.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nerfpipe::splats {
namespace {

constexpr double kDegree0 = 0.28209479177387814;  // of the harmonics
constexpr double kLeastOpacity = 1e-6;

bool IsFinite(float value) { return std::isfinite(value); }
// The scale, that is: its logarithm may be minus infinity.
bool IsFiniteScale(float log_scale) {
  return std::isfinite(std::exp(log_scale));
}

double LengthOf(const float* rotation) {
  double squares = 0;
  for (int k = 0; k < 4; ++k) {
    squares += static_cast<double>(rotation[k]) * rotation[k];
  }
  return std::sqrt(squares);
}

void CheckFinite(const std::vector<float>& values,
                 size_t count,
                 const char* what,
                 bool (*is_finite)(float) = IsFinite) {
  const auto found = std::find_if_not(values.begin(), values.end(), is_finite);
  if (found == values.end()) return;
  const size_t each = values.size() / count;
  const size_t gaussian = static_cast<size_t>(found - values.begin()) / each;
  throw UserError("gaussian " + std::to_string(gaussian) + " of " +
                      std::to_string(count) + " has a " + what +
                      " that is not finite",
                  "train again: this training went astray");
}

}  // namespace

double OpacityOf(double logit) { return 1 / (1 + std::exp(-logit)); }

float LogitOf(double opacity) {
  const double inside = std::clamp(opacity, kLeastOpacity, 1 - kLeastOpacity);
  return static_cast<float>(std::log(inside / (1 - inside)));
}

double ChannelOf(double coefficient) { return 0.5 + kDegree0 * coefficient; }

float CoefficientOf(double channel) {
  return static_cast<float>((channel - 0.5) / kDegree0);
}

void CheckWritable(const SplatCloud& cloud) {
  const size_t count = cloud.count();
  NERFPIPE_CHECK(cloud.degree >= 0 && cloud.degree <= kMostDegree);
  NERFPIPE_CHECK(cloud.means.size() == 3 * count);
  NERFPIPE_CHECK(cloud.log_scales.size() == 3 * count);
  NERFPIPE_CHECK(cloud.rotations.size() == 4 * count);
  NERFPIPE_CHECK(cloud.colours.size() == 3 * count);
  NERFPIPE_CHECK(cloud.harmonics.size() ==
                 3 * HarmonicsOf(cloud.degree) * count);
  if (count == 0) {
    throw UserError("there are no gaussians to write",
                    "train longer, or leave out less");
  }
  CheckFinite(cloud.means, count, "mean");
  CheckFinite(cloud.log_scales, count, "scale");
  CheckFinite(cloud.log_scales, count, "scale", IsFiniteScale);
  CheckFinite(cloud.rotations, count, "rotation");
  CheckFinite(cloud.logits, count, "opacity");
  CheckFinite(cloud.colours, count, "colour");
  CheckFinite(cloud.harmonics, count, "harmonic");
  for (size_t i = 0; i < count; ++i) {
    NERFPIPE_CHECK(std::abs(LengthOf(cloud.rotations.data() + 4 * i) - 1) <
                   1e-3);
  }
}

SplatCloud MakeCloud(int degree, size_t count) {
  SplatCloud cloud;
  cloud.degree = degree;
  cloud.means.reserve(3 * count);
  cloud.log_scales.reserve(3 * count);
  cloud.rotations.reserve(4 * count);
  cloud.logits.reserve(count);
  cloud.colours.reserve(3 * count);
  cloud.harmonics.reserve(3 * HarmonicsOf(degree) * count);
  return cloud;
}

void AddSplat(const Splat& splat, SplatCloud* cloud) {
  const size_t harmonics = 3 * HarmonicsOf(cloud->degree);
  const double length = LengthOf(splat.rotation.data());
  const auto finite = [](const auto& values, size_t size) {
    return std::all_of(values.begin(), values.begin() + size, IsFinite);
  };
  // An infinite logit is an opacity of 0 or 1, and a logarithm of minus
  // infinity the scale of a flat gaussian: other programs write both.
  if (!finite(splat.mean, 3) || !finite(splat.colour, 3) ||
      !finite(splat.harmonics, harmonics) || std::isnan(splat.logit) ||
      !std::all_of(
          splat.log_scale.begin(), splat.log_scale.end(), IsFiniteScale) ||
      !std::isfinite(length) || length == 0) {
    ++cloud->dropped;
    return;
  }
  cloud->means.insert(cloud->means.end(), splat.mean.begin(), splat.mean.end());
  static const float flat = std::log(std::numeric_limits<float>::min());
  for (const float v : splat.log_scale) {
    cloud->log_scales.push_back(std::isinf(v) ? flat : v);
  }
  for (const float v : splat.rotation) {
    cloud->rotations.push_back(static_cast<float>(v / length));
  }
  cloud->logits.push_back(
      std::isinf(splat.logit) ? LogitOf(OpacityOf(splat.logit)) : splat.logit);
  cloud->colours.insert(
      cloud->colours.end(), splat.colour.begin(), splat.colour.end());
  cloud->harmonics.insert(cloud->harmonics.end(),
                          splat.harmonics.begin(),
                          splat.harmonics.begin() + harmonics);
}

void CheckRead(const SplatCloud& cloud, const std::string& name) {
  if (cloud.count() > 0) return;
  throw UserError(cloud.dropped == 0 ? name + ": holds no gaussians"
                                     : name + ": none of its " +
                                           std::to_string(cloud.dropped) +
                                           " gaussians has only finite numbers",
                  "write the file again with the program that made it");
}

}  // namespace nerfpipe::splats
