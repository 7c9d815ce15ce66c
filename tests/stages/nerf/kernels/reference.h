#pragma once

// The `ngp` model once more: plain loops in double precision, one sample at a
// time, independent of the kernels' code. What the kernels are held against.

#include "stages/nerf/kernels/mlp.h"
#include "stages/nerf/kernels/ngp_shape.h"

#include <array>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <vector>

namespace nerfpipe::nerf::kernels::reference {

using Doubles = std::vector<double>;

// Parameters of a model with memory of their own, in the kernels' layout.
struct Parameters {
  explicit Parameters(const NgpShape& shape);
  Parameters(const Parameters&) = delete;

  // Uniform values of sizes that give every part of the model some say. Those
  // of the table are halves, which the kernels read without rounding.
  void Randomise(std::mt19937& random);

  std::vector<float> memory;
  NgpTensors tensors;
};

double ValueOf(Half half);

struct Level {
  double scale;
  int64_t resolution;
  int64_t first_row;
  int64_t rows;
  bool hashed;
};
std::vector<Level> Levels(const NgpShape& shape);

// Calls body(row of the table, weight) for the 8 corners of a level.
void ForCorners(const Level& level,
                const std::array<double, 3>& x,
                const std::function<void(int64_t, double)>& body);
Doubles Encode(const std::vector<Level>& levels,
               std::span<const float> table,
               const std::array<double, 3>& x);

// All that is computed on the way through a net; the last is its output.
using Activations = std::vector<Doubles>;
Activations Forward(const std::vector<std::span<float>>& layers,
                    const Doubles& input);
// Gradient by the input; adds those by the matrices.
Doubles Backward(const std::vector<std::span<float>>& layers,
                 const Activations& activations,
                 const Doubles& d_output,
                 const std::vector<Doubles*>& d_layers);

std::vector<std::span<float>> DensityLayers(const NgpTensors& tensors);
std::vector<std::span<float>> ColourLayers(const NgpTensors& tensors);

Doubles Harmonics(const std::array<double, 3>& direction);

// One sample of a ray: where, and how long.
struct Sample {
  std::array<double, 3> unit;  // point of the unit cube
  double distance;
  double length;
  bool free = false;  // its weight costs `free_space`
};

struct Ray {
  std::array<double, 3> direction;  // unit
  std::vector<Sample> samples;
  std::array<double, 3> background;
  std::array<double, 3> target;
  double chance = 0;  // where the wheel of the roulette starts, 0 to 1
};

struct Gradients {
  explicit Gradients(const NgpTensors& tensors);
  Doubles table;
  std::array<Doubles, 5> nets;
};

struct Rendered {
  std::array<double, 3> rgb = {};
  double depth = 0;
  double transmittance = 1;
  double loss = 0;
  int64_t kept = 0;
};

// Forward, loss (mean over rays and channels) and gradients of a batch.
// Samples lighter than min_weight, or behind the point where transmittance
// falls below stop, are constants without colour. With a roulette those lighter
// than it are so unless the sum of their weights passes one of its multiples.
// The gradients are those of `distortion` times the distortion loss and of
// `free_space` times the weight of free samples, too.
std::vector<Rendered> RenderBatch(const NgpShape& shape,
                                  const NgpTensors& tensors,
                                  const std::vector<Ray>& rays,
                                  bool huber,
                                  double min_weight,
                                  double stop,
                                  double roulette,
                                  double distortion,
                                  double free_space,
                                  Gradients* gradients);

}  // namespace nerfpipe::nerf::kernels::reference
