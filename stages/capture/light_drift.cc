#include "stages/capture/light_drift.h"

#include "pipeline/base/median.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace nerfpipe {
namespace {

// A figure of view `second` less that of view `first`.
struct Difference {
  size_t first = 0;
  size_t second = 0;
  double value = 0;
  double weight = 0;
};

// Sum over the differences of what each holds against `values`: the gradient of
// half the weighted squares, with or without the values themselves.
std::vector<double> Pull(const std::vector<Difference>& differences,
                         const std::vector<double>& values) {
  std::vector<double> pull(values.size(), 0.0);
  for (const Difference& d : differences) {
    const double force = d.weight * (values[d.second] - values[d.first]);
    pull[d.second] += force;
    pull[d.first] -= force;
  }
  return pull;
}

double Dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// Least squares by conjugate gradients, which need no order of the views; what
// the differences leave open stays as it is in `values`.
void Solve(const std::vector<Difference>& differences,
           std::vector<double>* values) {
  constexpr double kExact = 1e-20;
  std::vector<double> rest = Pull(differences, *values);
  for (double& value : rest) value = -value;
  for (const Difference& d : differences) {
    rest[d.second] += d.weight * d.value;
    rest[d.first] -= d.weight * d.value;
  }
  std::vector<double> direction = rest;
  double length = Dot(rest, rest);
  const double least = kExact * std::max(1.0, length);
  for (size_t step = 0; step < 2 * values->size() && length > least; ++step) {
    const std::vector<double> pull = Pull(differences, direction);
    const double scale = length / Dot(direction, pull);
    for (size_t i = 0; i < rest.size(); ++i) {
      (*values)[i] += scale * direction[i];
      rest[i] -= scale * pull[i];
    }
    const double shorter = Dot(rest, rest);
    for (size_t i = 0; i < rest.size(); ++i) {
      direction[i] = rest[i] + shorter / length * direction[i];
    }
    length = shorter;
  }
}

// Values that most of the differences agree with.
std::vector<double> Values(size_t count, std::vector<Difference> differences) {
  constexpr int kRounds = 8;
  constexpr double kAgrees = 0.05;  // stops
  std::vector<double> weights;
  for (const Difference& d : differences) weights.push_back(d.weight);
  std::vector<double> values(count, 0.0);
  for (int round = 0; round < kRounds; ++round) {
    Solve(differences, &values);
    for (size_t k = 0; k < differences.size(); ++k) {
      Difference& d = differences[k];
      const double off = std::abs(values[d.second] - values[d.first] - d.value);
      d.weight = weights[k] * kAgrees / std::max(kAgrees, off);
    }
  }
  return values;
}

}  // namespace

std::vector<LightStep> LightOfViews(size_t count,
                                    const std::vector<ComparedPair>& pairs) {
  constexpr int kFewestLit = 12;
  constexpr std::array<double LightStep::*, 3> kFigures = {
      &LightStep::exposure, &LightStep::red, &LightStep::blue};
  std::vector<ComparedPair> lit;
  for (const ComparedPair& pair : pairs) {
    if (!HangTogether(pair.common) || pair.common.lit < kFewestLit) continue;
    lit.push_back(pair);
    lit.back().far = false;
  }
  const std::vector<std::vector<size_t>> parts = Parts(count, lit);
  std::vector<LightStep> light(count);
  for (double LightStep::*const figure : kFigures) {
    std::vector<Difference> differences;
    for (const ComparedPair& pair : lit) {
      differences.push_back({pair.first,
                             pair.second,
                             pair.common.light.*figure,
                             std::sqrt(pair.common.lit)});
    }
    const std::vector<double> values = Values(count, std::move(differences));
    for (const std::vector<size_t>& part : parts) {
      std::vector<double> of_part;
      for (const size_t i : part) of_part.push_back(values[i]);
      const double median = UpperMedian(std::move(of_part));
      for (const size_t i : part) light[i].*figure = values[i] - median;
    }
  }
  return light;
}

}  // namespace nerfpipe
