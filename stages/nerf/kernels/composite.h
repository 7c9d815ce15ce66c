#pragma once

// Volume rendering: net outputs to densities and colours, weights of samples,
// the loss of a ray, and back.

#include "stages/nerf/kernels/mlp.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace nerfpipe::nerf::kernels {

enum class LossKind { kSquared, kHuber };
inline constexpr float kHuberDelta = 0.1f;

struct LossRules {
  LossKind kind = LossKind::kSquared;
  float scale = 1;  // one over the number of rays and channels
  // Factor of the distortion loss (Barron et al. 2022, equation 15), summed
  // over the ray and in the mean over rays; of distances t as t / (1 + t).
  float distortion = 0;
  // Factor of the weight of samples in free space, in the mean over rays.
  float free_space = 0;
};

// Of each sample: log_density kept in range, density exp() of it, and
// transparency exp(-density * length). Arrays of `count`, padded to vectors.
struct Opacities {
  const float* log_density;
  const float* length;
  float* density;
  float* transparency;
};
void ComputeOpacities(const Opacities& arrays, size_t count);

// Sigmoid of count x kColoursPadded values in place.
void ComputeColours(float* outputs, size_t count);

// What has been gathered along one ray.
struct RaySum {
  std::array<float, 3> colour = {};
  float weight = 0;         // of all samples that take part
  float distance = 0;       // sum of weight times distance
  float moment = 0;         // sum of weight times t / (1 + t)
  float transmittance = 1;  // left behind the last sample
  float unspent = 0;        // light weight that no kept sample stands for
  // Of the loss by the ray's colour, and, going back to front, by everything
  // behind the next sample.
  std::array<float, 3> slope = {};
  float behind = 0;
  // The same sums as above of what is before that sample, and the factors of
  // the distortion loss and of free space.
  float weight_before = 0;
  float moment_before = 0;
  float distortion = 0;
  float free_space = 0;
};

// A sample that takes part in the picture.
struct Sample {
  uint32_t ray;
  float weight;  // transmittance before it times its opacity, times boost
  float boost;   // one over the chance of being kept
  float after;   // transmittance behind it
  float density;
  float length;
  float distance;
  bool in_range;  // the log density was not cut
  bool free;      // where lines of sight say that nothing is; see free_space
};

// Adds the samples to their rays, front to back. `colours` is count x
// kColoursPadded.
void SumColours(const Sample* samples,
                const float* colours,
                size_t count,
                RaySum* rays);

// Adds what is behind the last sample, computes loss and slopes of one ray,
// both times rules.scale. Returns the loss of the colour; `squared_error` is
// the sum over the three channels.
float CloseRay(const LossRules& rules,
               const std::array<float, 3>& background,
               const std::array<float, 3>& target,
               RaySum* ray,
               float* squared_error);

// Back to front: slopes by the colours before the sigmoid (count x
// kColoursPadded, padding zero) and by the log densities (count).
void DifferentiateSamples(const Sample* samples,
                          const float* colours,
                          size_t count,
                          RaySum* rays,
                          float* d_outputs,
                          float* d_log_density);

// The 16 real spherical harmonics to degree 3 of a unit vector, tiny-cuda-nn's
// order and signs.
void Harmonics(const float direction[3], float* out);

}  // namespace nerfpipe::nerf::kernels
