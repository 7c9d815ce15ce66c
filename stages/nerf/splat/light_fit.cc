#include "stages/nerf/splat/light_fit.h"

#include <algorithm>
#include <cmath>

namespace nerfpipe::nerf::splat {
namespace {

using Gains = std::vector<LogGain>;

// Residuals of the weights: so many medians, and at least so much, lest a
// perfect fit divides by nothing.
constexpr double kScaleInMedians = 2;
constexpr double kLeastScale = 0.01;

// f(begin, end) for the samples of every point.
template <class F>
void ForEachPoint(const std::vector<Sample>& samples, const F& f) {
  for (size_t begin = 0, end; begin < samples.size(); begin = end) {
    end = begin + 1;
    while (end < samples.size() && samples[end].point == samples[begin].point) {
      ++end;
    }
    f(begin, end);
  }
}

// Weighted mean of value(k) over samples begin to end - 1.
template <class F>
LogGain MeanOf(const std::vector<double>& weights,
               size_t begin,
               size_t end,
               const F& value) {
  LogGain sum = {};
  double total = 0;
  for (size_t k = begin; k < end; ++k) {
    const LogGain& one = value(k);
    for (int c = 0; c < 3; ++c) sum[c] += weights[k] * one[c];
    total += weights[k];
  }
  for (double& one : sum) one /= total;
  return sum;
}

// Without the points' colours, which are eliminated: they are means.
Gains Solve(const std::vector<Sample>& samples,
            const std::vector<double>& weights,
            size_t views) {
  // What is left of value(k) when the point's mean is taken away, added up by
  // view.
  const auto sums = [&](const auto& value) {
    Gains sum(views);
    ForEachPoint(samples, [&](size_t begin, size_t end) {
      const LogGain mean = MeanOf(weights, begin, end, value);
      for (size_t k = begin; k < end; ++k) {
        for (int c = 0; c < 3; ++c) {
          sum[samples[k].view][c] += weights[k] * (value(k)[c] - mean[c]);
        }
      }
    });
    return sum;
  };
  std::vector<double> diagonal(views);
  ForEachPoint(samples, [&](size_t begin, size_t end) {
    double total = 0;
    for (size_t k = begin; k < end; ++k) total += weights[k];
    for (size_t k = begin; k < end; ++k) {
      diagonal[samples[k].view] += weights[k] * (1 - weights[k] / total);
    }
  });
  return SolveByConjugateGradients(
      [&](const Gains& x) {
        return sums(
            [&](size_t k) -> const LogGain& { return x[samples[k].view]; });
      },
      diagonal,
      sums([&](size_t k) -> const LogGain& { return samples[k].log_colour; }));
}

// Weights by the distance from the fit.
void Reweigh(const std::vector<Sample>& samples,
             const Gains& gains,
             std::vector<double>* weights) {
  std::vector<double> squares(samples.size());
  const std::vector<double> before = *weights;
  std::vector<LogGain> left(samples.size());
  for (size_t k = 0; k < samples.size(); ++k) {
    for (int c = 0; c < 3; ++c) {
      left[k][c] = samples[k].log_colour[c] - gains[samples[k].view][c];
    }
  }
  ForEachPoint(samples, [&](size_t begin, size_t end) {
    const LogGain mean =
        MeanOf(before, begin, end, [&](size_t k) -> const LogGain& {
          return left[k];
        });
    for (size_t k = begin; k < end; ++k) {
      for (int c = 0; c < 3; ++c) {
        squares[k] += std::pow(left[k][c] - mean[c], 2);
      }
    }
  });
  std::vector<double> sorted = squares;
  const auto middle = sorted.begin() + std::ssize(sorted) / 2;
  std::nth_element(sorted.begin(), middle, sorted.end());
  const double scale =
      std::max(kScaleInMedians * std::sqrt(*middle), kLeastScale);
  for (size_t k = 0; k < samples.size(); ++k) {
    (*weights)[k] = 1 / (1 + squares[k] / (scale * scale));
  }
}

}  // namespace

void Centre(std::vector<LogGain>* gains) {
  LogGain mean = {};
  for (const LogGain& gain : *gains) {
    for (int c = 0; c < 3; ++c) {
      mean[c] += gain[c] / static_cast<double>(gains->size());
    }
  }
  for (LogGain& gain : *gains) {
    for (int c = 0; c < 3; ++c) gain[c] -= mean[c];
  }
}

LightFit FitLight(const std::vector<Sample>& samples, int views, int rounds) {
  LightFit fit;
  fit.weights.resize(views);
  std::vector<double> weights(samples.size(), 1);
  fit.gains = Solve(samples, weights, views);
  for (int round = 0; round < rounds && !samples.empty(); ++round) {
    Reweigh(samples, fit.gains, &weights);
    fit.gains = Solve(samples, weights, views);
  }
  for (size_t k = 0; k < samples.size(); ++k) {
    fit.weights[samples[k].view] += weights[k];
  }
  Centre(&fit.gains);
  return fit;
}

std::vector<LogGain> SolveByConjugateGradients(
    const std::function<Gains(const Gains&)>& apply,
    const std::vector<double>& diagonal,
    const Gains& b) {
  // Relative to the first residual; the numbers are good for 1e-8 of it.
  constexpr double kEnough = 1e-11;
  constexpr int kMostSteps = 2000;
  const size_t count = b.size();
  Gains x(count), residual = b, direction(count);
  LogGain before = {}, first = {};
  const auto dot = [&](const Gains& a, const auto& other) {
    LogGain sum = {};
    for (size_t i = 0; i < count; ++i) {
      for (int c = 0; c < 3; ++c) sum[c] += a[i][c] * other(i, c);
    }
    return sum;
  };
  const auto preconditioned = [&](size_t i, int c) {
    return diagonal[i] > 0 ? residual[i][c] / diagonal[i] : 0.0;
  };
  for (int step = 0; step < kMostSteps; ++step) {
    const LogGain now = dot(residual, preconditioned);
    if (step == 0) first = now;
    bool done = true;
    for (int c = 0; c < 3; ++c) {
      done = done && now[c] <= kEnough * kEnough * first[c];
    }
    if (done) break;
    for (size_t i = 0; i < count; ++i) {
      for (int c = 0; c < 3; ++c) {
        const double beta = before[c] > 0 ? now[c] / before[c] : 0;
        direction[i][c] = preconditioned(i, c) + beta * direction[i][c];
      }
    }
    before = now;
    const Gains product = apply(direction);
    const LogGain curvature =
        dot(direction, [&](size_t i, int c) { return product[i][c]; });
    for (size_t i = 0; i < count; ++i) {
      for (int c = 0; c < 3; ++c) {
        const double length = curvature[c] > 0 ? now[c] / curvature[c] : 0;
        x[i][c] += length * direction[i][c];
        residual[i][c] -= length * product[i][c];
      }
    }
  }
  return x;
}

}  // namespace nerfpipe::nerf::splat
