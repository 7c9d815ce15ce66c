#include "stages/nerf/splat/exposure.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <limits>
#include <locale>
#include <optional>
#include <sstream>
#include <utility>

namespace nerfpipe::nerf::splat {
namespace {

// With "auto" light differs where the standard deviation of the log gains,
// without noise, is at least so much, and this part of what was measured.
constexpr double kLeastSpread = 0.02;
constexpr double kLeastShare = 0.5;
// Fewer views tell nothing of a spread.
constexpr size_t kFewestViews = 4;
// More points than these make the gains no better.
constexpr int64_t kMostPoints = 20'000;
constexpr int kRobustRounds = 5;
// Bytes: what is brighter may be clipped, and noise has a part in what is
// darker.
constexpr int kClipped = 250;
constexpr double kDark = 8;
// A point is looked at in a square of about the width by this.
constexpr int kPatchesAcross = 100;

std::optional<LogGain> LogColourAt(const torch::Tensor& image,
                                   double x,
                                   double y) {
  const int64_t height = image.size(0), width = image.size(1);
  const int64_t channels = image.size(2);
  const int64_t radius = std::max<int64_t>(1, width / kPatchesAcross / 2);
  const auto left = static_cast<int64_t>(std::floor(x)) - radius;
  const auto top = static_cast<int64_t>(std::floor(y)) - radius;
  const int64_t side = 2 * radius + 1;
  if (!(left >= 0 && top >= 0 && left + side <= width &&
        top + side <= height)) {
    return std::nullopt;
  }
  const uint8_t* pixels = image.data_ptr<uint8_t>();
  LogGain sum = {};
  for (int64_t v = top; v < top + side; ++v) {
    for (int64_t u = left; u < left + side; ++u) {
      const uint8_t* pixel = pixels + (v * width + u) * channels;
      if (channels == 4 && pixel[3] < 255) return std::nullopt;
      for (int c = 0; c < 3; ++c) {
        if (pixel[c] >= kClipped) return std::nullopt;
        sum[c] += pixel[c];
      }
    }
  }
  for (double& one : sum) {
    one /= static_cast<double>(side * side);
    if (one < kDark) return std::nullopt;
    one = std::log(one / 255);
  }
  return sum;
}

// Where a camera sees a point of the world, in pixels; beyond any picture when
// it is behind.
std::array<double, 2> PixelOf(const Camera& camera, const double* point) {
  const auto& m = camera.world_from_camera;
  double p[3] = {};
  for (int k = 0; k < 3; ++k) {
    for (int r = 0; r < 3; ++r) {
      p[k] += m[4 * r + k] * (point[r] - m[4 * r + 3]);
    }
  }
  if (!(p[2] < 0)) return {-1e9, -1e9};
  return {camera.cx - camera.fx * p[0] / p[2],
          camera.cy + camera.fy * p[1] / p[2]};
}

// Of points that two views or more show well, by point.
std::vector<Sample> SamplesOf(const Dataset& dataset) {
  std::vector<Sample> samples;
  if (!dataset.points.defined() || dataset.points.numel() == 0) return samples;
  const int64_t points = dataset.points.size(0);
  const int64_t every = (points + kMostPoints - 1) / kMostPoints;
  const double* places = dataset.points.data_ptr<double>();
  for (size_t i = 0; i < dataset.train.size(); ++i) {
    const View& view = dataset.train[i];
    if (!view.seen.defined()) continue;
    const torch::Tensor image = view.image.contiguous();
    const int64_t* seen = view.seen.data_ptr<int64_t>();
    for (int64_t k = 0; k < view.seen.numel(); ++k) {
      if (seen[k] % every != 0) continue;
      const std::array<double, 2> at =
          PixelOf(view.camera, places + 3 * seen[k]);
      if (const auto colour = LogColourAt(image, at[0], at[1])) {
        samples.push_back(
            {static_cast<int>(seen[k]), static_cast<int>(i), *colour});
      }
    }
  }
  std::stable_sort(
      samples.begin(), samples.end(), [](const Sample& a, const Sample& b) {
        return a.point < b.point;
      });
  std::vector<Sample> shared;
  for (size_t k = 0; k < samples.size(); ++k) {
    const bool as_before = k > 0 && samples[k - 1].point == samples[k].point;
    const bool as_next =
        k + 1 < samples.size() && samples[k + 1].point == samples[k].point;
    if (as_before || as_next) shared.push_back(samples[k]);
  }
  return shared;
}

// Variance of the noise in the gains: halves of the points are fitted apart,
// and should tell the same.
std::vector<double> NoiseOf(const std::vector<Sample>& samples,
                            const LightFit& whole) {
  const size_t views = whole.gains.size();
  std::array<std::vector<Sample>, 2> parts;
  for (size_t k = 0, number = 0; k < samples.size(); ++k) {
    if (k > 0 && samples[k].point != samples[k - 1].point) ++number;
    parts[number % 2].push_back(samples[k]);
  }
  std::array<LightFit, 2> halves;
  for (int h = 0; h < 2; ++h) {
    halves[h] = FitLight(parts[h], static_cast<int>(views), kRobustRounds);
  }
  double sum = 0;  // of squares, for a weight of 1
  double count = 0;
  for (size_t i = 0; i < views; ++i) {
    const double a = halves[0].weights[i], b = halves[1].weights[i];
    if (!(a > 0 && b > 0)) continue;
    for (int c = 0; c < 3; ++c) {
      sum += std::pow(halves[0].gains[i][c] - halves[1].gains[i][c], 2) /
             (1 / a + 1 / b);
      ++count;
    }
  }
  std::vector<double> noise(views);
  for (size_t i = 0; i < views; ++i) {
    noise[i] = count > 0 && whole.weights[i] > 0
                   ? sum / count / whole.weights[i]
                   : std::numeric_limits<double>::infinity();
  }
  return noise;
}

double Square(const LogGain& gain) {
  return (gain[0] * gain[0] + gain[1] * gain[1] + gain[2] * gain[2]) / 3;
}

// Half the sum of squares is more than what is left when the neighbours' mean
// is taken away.
bool NeighboursForetell(const std::vector<LogGain>& gains) {
  double alone = 0, left = 0;
  for (size_t i = 1; i + 1 < gains.size(); ++i) {
    LogGain rest;
    for (int c = 0; c < 3; ++c) {
      rest[c] = gains[i][c] - 0.5 * (gains[i - 1][c] + gains[i + 1][c]);
    }
    alone += Square(gains[i]);
    left += Square(rest);
  }
  return left < 0.5 * alone;
}

LogGain SecondDifference(const std::vector<LogGain>& x, size_t i) {
  LogGain d;
  for (int c = 0; c < 3; ++c) d[c] = x[i - 1][c] - 2 * x[i][c] + x[i + 1][c];
  return d;
}

// The most likely curve: noise as given, second differences of the variance
// that is left of those measured.
std::vector<LogGain> Smoothed(const std::vector<LogGain>& measured,
                              const std::vector<double>& noise) {
  const size_t count = measured.size();
  double squares = 0, by_noise = 0;
  for (size_t i = 1; i + 1 < count; ++i) {
    squares += Square(SecondDifference(measured, i));
    by_noise += noise[i - 1] + 4 * noise[i] + noise[i + 1];
  }
  const double n = static_cast<double>(count - 2);
  // Not all of it is noise, however much there is.
  const double bend = std::max(squares - by_noise, 0.05 * by_noise) / n;
  if (!(bend > 0)) return measured;
  std::vector<double> diagonal(count);
  std::vector<LogGain> b(count);
  for (size_t i = 0; i < count; ++i) {
    diagonal[i] = 1 / noise[i];
    for (int c = 0; c < 3; ++c) b[i][c] = measured[i][c] / noise[i];
  }
  for (size_t i = 1; i + 1 < count; ++i) {
    diagonal[i - 1] += 1 / bend;
    diagonal[i] += 4 / bend;
    diagonal[i + 1] += 1 / bend;
  }
  return SolveByConjugateGradients(
      [&](const std::vector<LogGain>& x) {
        std::vector<LogGain> y(count);
        for (size_t i = 0; i < count; ++i) {
          for (int c = 0; c < 3; ++c) y[i][c] = x[i][c] / noise[i];
        }
        for (size_t i = 1; i + 1 < count; ++i) {
          const LogGain d = SecondDifference(x, i);
          for (int c = 0; c < 3; ++c) {
            y[i - 1][c] += d[c] / bend;
            y[i][c] -= 2 * d[c] / bend;
            y[i + 1][c] += d[c] / bend;
          }
        }
        return y;
      },
      diagonal,
      b);
}

}  // namespace

Exposure Exposure::Of(const Dataset& dataset, const std::string& option) {
  if (option == "off") return {};
  const std::vector<Sample> samples = SamplesOf(dataset);
  const int views = static_cast<int>(dataset.train.size());
  const LightFit fit = FitLight(samples, views, kRobustRounds);
  std::vector<std::string> names;
  for (const View& view : dataset.train) names.push_back(view.name);
  return Of(std::move(names), fit.gains, NoiseOf(samples, fit), option);
}

Exposure Exposure::Of(std::vector<std::string> names,
                      const std::vector<LogGain>& measured,
                      const std::vector<double>& noise,
                      const std::string& option) {
  NERFPIPE_CHECK(names.size() == measured.size() &&
                 names.size() == noise.size());
  // The least noise counts as some: weights stay finite.
  constexpr double kLeastNoise = 1e-10;
  Exposure exposure;
  if (option == "off" || names.size() < kFewestViews) return exposure;
  // Of the views that were measured.
  double squares = 0, by_noise = 0, known = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    if (!std::isfinite(noise[i])) continue;
    squares += Square(measured[i]);
    by_noise += noise[i];
    ++known;
  }
  if (known < 2) return exposure;
  const double spread = std::max(0.0, (squares - by_noise) / known);
  const bool differs = std::sqrt(spread) >= kLeastSpread &&
                       spread >= kLeastShare * squares / known;
  if (option == "auto" && !differs) return exposure;
  exposure.names_ = std::move(names);
  std::vector<double> trusted(noise.size());
  for (size_t i = 0; i < noise.size(); ++i) {
    // What was not measured is nearly free.
    trusted[i] = std::clamp(noise[i], kLeastNoise, 1e2);
  }
  if (std::is_sorted(exposure.names_.begin(), exposure.names_.end()) &&
      NeighboursForetell(measured)) {
    exposure.kind_ = Kind::kCurve;
    exposure.log_gains_ = Smoothed(measured, trusted);
  } else {
    exposure.kind_ = Kind::kPhotos;
    exposure.log_gains_ = measured;
    for (size_t i = 0; i < measured.size(); ++i) {
      const double share = spread / (spread + trusted[i]);
      for (double& one : exposure.log_gains_[i]) one *= share;
    }
  }
  Centre(&exposure.log_gains_);
  return exposure;
}

std::array<float, 3> Exposure::TrainingGain(size_t view) const {
  if (kind_ == Kind::kOneLight) return {1, 1, 1};
  std::array<float, 3> gain;
  for (int c = 0; c < 3; ++c) {
    gain[c] = static_cast<float>(std::exp(log_gains_.at(view)[c]));
  }
  return gain;
}

std::array<double, 3> Exposure::HeldOutGain(const std::string& name) const {
  if (kind_ != Kind::kCurve) return {1, 1, 1};
  const auto after = std::lower_bound(names_.begin(), names_.end(), name);
  const auto at = static_cast<size_t>(after - names_.begin());
  const LogGain& next = log_gains_[std::min(at, log_gains_.size() - 1)];
  const LogGain& previous = log_gains_[at > 0 ? at - 1 : 0];
  std::array<double, 3> gain;
  for (int c = 0; c < 3; ++c) gain[c] = std::exp(0.5 * (previous[c] + next[c]));
  return gain;
}

std::string Exposure::Note() const {
  switch (kind_) {
    case Kind::kOneLight:
      return "";
    case Kind::kCurve:
      return "in the light of the frames before and after";
    case Kind::kPhotos:
      return "in the mean light of the photos";
  }
  NERFPIPE_CHECK(false);
}

// A line for the kind, then one for each view: three logarithms and the name.
std::string Exposure::Text() const {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out << std::setprecision(std::numeric_limits<double>::max_digits10);
  out << static_cast<int>(kind_) << "\n";
  for (size_t i = 0; i < names_.size(); ++i) {
    for (const double one : log_gains_[i]) out << one << " ";
    out << names_[i] << "\n";
  }
  return out.str();
}

Exposure Exposure::FromText(const std::string& text) {
  std::istringstream in(text);
  in.imbue(std::locale::classic());
  Exposure exposure;
  int kind = -1;
  in >> kind;
  in.ignore();
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    fields.imbue(std::locale::classic());
    LogGain gain = {};
    std::string name;
    fields >> gain[0] >> gain[1] >> gain[2];
    fields.ignore();
    std::getline(fields, name);
    if (fields.fail()) kind = -1;
    exposure.log_gains_.push_back(gain);
    exposure.names_.push_back(name);
  }
  if (kind < 0 || kind > 2 || (kind > 0) != !exposure.names_.empty()) {
    throw UserError("the light of the views is damaged", "train again");
  }
  exposure.kind_ = static_cast<Kind>(kind);
  return exposure;
}

}  // namespace nerfpipe::nerf::splat
