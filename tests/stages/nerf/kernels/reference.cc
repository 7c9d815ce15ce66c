#include "tests/stages/nerf/kernels/reference.h"

#include <algorithm>
#include <cmath>

namespace nerfpipe::nerf::kernels::reference {
namespace {

struct Kept {
  const Sample* sample = nullptr;
  double weight = 0, boost = 1, after = 0, density = 0;
  bool in_range = true;
  Activations density_net, colour_net;
  std::array<double, 3> colour = {};
};

std::vector<Kept> Select(const std::vector<Level>& levels,
                         const NgpTensors& tensors,
                         const Ray& ray,
                         double min_weight,
                         double stop,
                         double roulette,
                         double* transmittance) {
  std::vector<Kept> kept;
  double passed_by = roulette * ray.chance;  // weight of what was not kept
  *transmittance = 1;
  for (const Sample& sample : ray.samples) {
    Kept one;
    one.sample = &sample;
    one.density_net = Forward(DensityLayers(tensors),
                              Encode(levels, tensors.table, sample.unit));
    const double raw = one.density_net.back()[0];
    one.in_range = std::abs(raw) <= 15;
    one.density = std::exp(std::clamp(raw, -15.0, 15.0));
    const double before = *transmittance;
    one.after = before * std::exp(-one.density * sample.length);
    one.weight = before - one.after;
    *transmittance = one.after;
    if (roulette == 0 || one.weight >= roulette) {
      if (one.weight >= min_weight) kept.push_back(one);
    } else {
      const double before_it = passed_by;
      passed_by += one.weight;
      if (std::floor(passed_by / roulette) > std::floor(before_it / roulette)) {
        one.boost = roulette / one.weight;
        one.weight = roulette;
        kept.push_back(one);
      }
    }
    if (one.after < stop) break;
  }
  const Doubles harmonics = Harmonics(ray.direction);
  for (Kept& one : kept) {
    Doubles input = one.density_net.back();
    input.insert(input.end(), harmonics.begin(), harmonics.end());
    one.colour_net = Forward(ColourLayers(tensors), input);
    for (int c = 0; c < 3; ++c) {
      one.colour[c] = 1 / (1 + std::exp(-one.colour_net.back()[c]));
    }
  }
  return kept;
}

void BackwardSample(const std::vector<Level>& levels,
                    const NgpTensors& tensors,
                    const Kept& one,
                    const std::array<double, 3>& slope,
                    double weight_slope,
                    double behind,
                    Gradients* gradients) {
  Doubles d_colour(3);
  double along = weight_slope;
  for (int c = 0; c < 3; ++c) {
    along += slope[c] * one.colour[c];
    d_colour[c] = one.weight * slope[c] * one.colour[c] * (1 - one.colour[c]);
  }
  auto& nets = gradients->nets;
  Doubles d_geometry = Backward(ColourLayers(tensors),
                                one.colour_net,
                                d_colour,
                                {&nets[2], &nets[3], &nets[4]});
  d_geometry.resize(kGeometry);
  if (one.in_range) {
    d_geometry[0] += one.boost * one.density * one.sample->length *
                     (one.after * along - behind);
  }
  const Doubles d_features = Backward(DensityLayers(tensors),
                                      one.density_net,
                                      d_geometry,
                                      {&nets[0], &nets[1]});
  for (int l = 0; l < kLevels; ++l) {
    ForCorners(levels[l], one.sample->unit, [&](int64_t row, double weight) {
      for (int f = 0; f < kFeatures; ++f) {
        gradients->table[row * kFeatures + f] +=
            weight * d_features[l * kFeatures + f];
      }
    });
  }
}

// Of sum_ij w_i w_j |u_i - u_j| + sum_i w_i^2 length_i / 3 by w_k, for
// u = t / (1 + t), by the definition.
double DistortionSlope(const std::vector<Kept>& kept, size_t k) {
  const auto place = [](double t) { return t / (1 + t); };
  const double t = kept[k].sample->distance;
  double slope =
      2.0 / 3 * kept[k].weight * kept[k].sample->length / ((1 + t) * (1 + t));
  for (const Kept& other : kept) {
    slope +=
        2 * other.weight * std::abs(place(t) - place(other.sample->distance));
  }
  return slope;
}

}  // namespace

Parameters::Parameters(const NgpShape& shape) {
  const size_t table =
      static_cast<size_t>(TableRows(MakeGridLevels(shape))) * kFeatures;
  memory.resize(table + kNetSize);
  const std::span<float> all(memory);
  const auto matrix = [&](int at, int rows, int columns) {
    return all.subspan(table + at, rows * columns);
  };
  tensors.table = all.subspan(0, table);
  tensors.density0 = matrix(kDensity0At, kHidden, kInputs);
  tensors.density1 = matrix(kDensity1At, kGeometry, kHidden);
  tensors.colour0 = matrix(kColour0At, kHidden, kColourInputs);
  tensors.colour1 = matrix(kColour1At, kHidden, kHidden);
  tensors.colour2 = matrix(kColour2At, kColours, kHidden);
}

void Parameters::Randomise(std::mt19937& random) {
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (float& value : tensors.table) {
    value = std::round(1024 * uniform(random)) / 1024;
  }
  for (const std::span<float> matrix : tensors.Matrices()) {
    for (float& value : matrix) value = 0.3f * uniform(random);
  }
}

double ValueOf(Half half) {
  const double sign = (half >> 15) != 0 ? -1 : 1;
  const int exponent = half >> 10 & 31;
  const int fraction = half & 1023;
  return sign * (exponent == 0 ? std::ldexp(fraction, -24)
                               : std::ldexp(1024 + fraction, exponent - 25));
}

std::vector<Level> Levels(const NgpShape& shape) {
  std::vector<Level> levels;
  int64_t row = 0;
  for (int l = 0; l < kLevels; ++l) {
    Level level;
    level.scale = shape.base_resolution *
                      std::pow(static_cast<double>(shape.finest_resolution) /
                                   shape.base_resolution,
                               l / (kLevels - 1.0)) -
                  1;
    level.resolution = static_cast<int64_t>(std::ceil(level.scale - 1e-9)) + 1;
    level.rows = level.resolution * level.resolution * level.resolution;
    level.hashed = level.rows > int64_t{1} << shape.log2_table;
    level.rows = level.hashed ? int64_t{1} << shape.log2_table
                              : (level.rows + 7) / 8 * 8;
    level.first_row = row;
    row += level.rows;
    levels.push_back(level);
  }
  return levels;
}

void ForCorners(const Level& level,
                const std::array<double, 3>& x,
                const std::function<void(int64_t, double)>& body) {
  for (int corner = 0; corner < 8; ++corner) {
    double weight = 1;
    uint32_t at[3];
    for (int a = 0; a < 3; ++a) {
      const double place = x[a] * level.scale + 0.5;
      const double cell = std::floor(place);
      const int high = corner >> a & 1;
      at[a] = static_cast<uint32_t>(cell) + high;
      weight *= high ? place - cell : 1 - (place - cell);
    }
    int64_t row;
    if (level.hashed) {
      const uint32_t brick =
          at[0] / 2 ^ at[1] / 2 * 2654435761u ^ at[2] / 2 * 805459861u;
      row = (int64_t{brick} * 8 + at[0] % 2 + at[1] % 2 * 2 + at[2] % 2 * 4) %
            level.rows;
    } else {
      row = (at[0] + level.resolution * (at[1] + level.resolution * at[2])) %
            level.rows;
    }
    body(level.first_row + row, weight);
  }
}

Doubles Encode(const std::vector<Level>& levels,
               std::span<const float> table,
               const std::array<double, 3>& x) {
  Doubles result;
  for (const Level& level : levels) {
    Doubles sum(kFeatures);
    ForCorners(level, x, [&](int64_t row, double weight) {
      for (int f = 0; f < kFeatures; ++f) {
        sum[f] += weight * table[row * kFeatures + f];
      }
    });
    result.insert(result.end(), sum.begin(), sum.end());
  }
  return result;
}

Activations Forward(const std::vector<std::span<float>>& layers,
                    const Doubles& input) {
  Activations activations = {input};
  for (size_t l = 0; l < layers.size(); ++l) {
    const Doubles& in = activations.back();
    Doubles out(layers[l].size() / in.size());
    for (size_t o = 0; o < out.size(); ++o) {
      for (size_t i = 0; i < in.size(); ++i) {
        out[o] += layers[l][o * in.size() + i] * in[i];
      }
      if (l + 1 < layers.size()) out[o] = std::max(out[o], 0.0);
    }
    activations.push_back(out);
  }
  return activations;
}

Doubles Backward(const std::vector<std::span<float>>& layers,
                 const Activations& activations,
                 const Doubles& d_output,
                 const std::vector<Doubles*>& d_layers) {
  Doubles d_out = d_output;
  for (size_t l = layers.size(); l-- > 0;) {
    const Doubles& in = activations[l];
    Doubles d_in(in.size());
    for (size_t o = 0; o < d_out.size(); ++o) {
      for (size_t i = 0; i < in.size(); ++i) {
        (*d_layers[l])[o * in.size() + i] += d_out[o] * in[i];
        d_in[i] += d_out[o] * layers[l][o * in.size() + i];
      }
    }
    for (size_t i = 0; l > 0 && i < in.size(); ++i) {
      if (in[i] <= 0) d_in[i] = 0;
    }
    d_out = d_in;
  }
  return d_out;
}

std::vector<std::span<float>> DensityLayers(const NgpTensors& tensors) {
  return {tensors.density0, tensors.density1};
}

std::vector<std::span<float>> ColourLayers(const NgpTensors& tensors) {
  return {tensors.colour0, tensors.colour1, tensors.colour2};
}

Doubles Harmonics(const std::array<double, 3>& direction) {
  // Closed forms with their constants worked out from the definition.
  const double pi = std::acos(-1.0);
  const auto [x, y, z] = direction;
  const double c1 = std::sqrt(3 / (4 * pi));
  const double c2 = std::sqrt(15 / (4 * pi));
  const double c3 = std::sqrt(35 / (32 * pi));
  const double c4 = std::sqrt(105 / (4 * pi));
  const double c5 = std::sqrt(21 / (32 * pi));
  return {std::sqrt(1 / (4 * pi)),
          -c1 * y,
          c1 * z,
          -c1 * x,
          c2 * x * y,
          -c2 * y * z,
          std::sqrt(5 / (16 * pi)) * (3 * z * z - 1),
          -c2 * x * z,
          c2 / 2 * (x * x - y * y),
          -c3 * y * (3 * x * x - y * y),
          c4 * x * y * z,
          -c5 * y * (5 * z * z - 1),
          std::sqrt(7 / (16 * pi)) * z * (5 * z * z - 3),
          -c5 * x * (5 * z * z - 1),
          c4 / 2 * z * (x * x - y * y),
          -c3 * x * (x * x - 3 * y * y)};
}

Gradients::Gradients(const NgpTensors& tensors) : table(tensors.table.size()) {
  for (int m = 0; m < 5; ++m) nets[m].resize(tensors.Matrices()[m].size());
}

std::vector<Rendered> RenderBatch(const NgpShape& shape,
                                  const NgpTensors& tensors,
                                  const std::vector<Ray>& rays,
                                  bool huber,
                                  double min_weight,
                                  double stop,
                                  double roulette,
                                  double distortion,
                                  double free_space,
                                  Gradients* gradients) {
  const std::vector<Level> levels = Levels(shape);
  const double scale = 1 / (3.0 * static_cast<double>(rays.size()));
  std::vector<Rendered> results;
  for (const Ray& ray : rays) {
    Rendered out;
    const std::vector<Kept> kept = Select(
        levels, tensors, ray, min_weight, stop, roulette, &out.transmittance);
    out.kept = static_cast<int64_t>(kept.size());
    double weights = 0;
    for (const Kept& one : kept) {
      for (int c = 0; c < 3; ++c) out.rgb[c] += one.weight * one.colour[c];
      out.depth += one.weight * one.sample->distance;
      weights += one.weight;
    }
    out.depth /= std::max(weights, 1e-6);
    std::array<double, 3> slope;
    double behind = 0;
    for (int c = 0; c < 3; ++c) {
      out.rgb[c] += out.transmittance * ray.background[c];
      const double error = out.rgb[c] - ray.target[c];
      const double size = std::abs(error);
      const bool linear = huber && size > 0.1;
      out.loss += scale * (!huber    ? error * error
                           : !linear ? error * error / 2
                                     : 0.1 * (size - 0.05));
      slope[c] = scale * (!huber    ? 2 * error
                          : !linear ? error
                                    : std::copysign(0.1, error));
      behind += slope[c] * out.transmittance * ray.background[c];
    }
    for (size_t k = kept.size(); k-- > 0;) {
      const double weight_slope = 3 * scale *
                                  (distortion * DistortionSlope(kept, k) +
                                   (kept[k].sample->free ? free_space : 0));
      BackwardSample(
          levels, tensors, kept[k], slope, weight_slope, behind, gradients);
      behind += kept[k].weight * weight_slope;
      for (int c = 0; c < 3; ++c) {
        behind += kept[k].weight * slope[c] * kept[k].colour[c];
      }
    }
    results.push_back(out);
  }
  return results;
}

}  // namespace nerfpipe::nerf::kernels::reference
