#pragma once

// A step of Adam (Kingma and Ba 2015) for the gaussians that were seen.

#include "stages/nerf/splat/kernels/gaussian_blocks.h"
#include "stages/nerf/splat/kernels/gaussian_gradient.h"

#include <cstddef>
#include <cstdint>

namespace nerfpipe::nerf::splat {

struct UpdateRules {
  // Learning rates by group of rows.
  float mean = 0;  // times the depth, within 1 and 30
  float scale = 0;
  float rotation = 0;
  float opacity = 0;
  float colour = 0;     // of harmonic 0
  float harmonics = 0;  // of the others
  float beta1 = 0.9f;
  float beta2 = 0.99f;
  float epsilon = 1e-8f;
  // Corrects the moments' start at zero: sqrt(1 - beta2^t) / (1 - beta1^t).
  float correction = 1;
  // Gradients of penalties on opacity and deviations, which draw to nothing
  // what nobody needs (Kheradmand et al. 2024).
  float opacity_penalty = 0;
  float scale_penalty = 0;
  // Random steps of the means of faint gaussians, by their covariance.
  float noise = 0;
  uint32_t noise_key = 0;  // of this step
  float largest_log_scale = 100;
};

// Adam's moments in bfloat16, laid out as the parameters.
struct MomentArrays {
  uint16_t* first = nullptr;
  uint16_t* second = nullptr;
};

// Of blocks begin to end - 1, by the gradients of DifferentiateGaussians() for
// the same blocks; what is not visible stays as it is.
void StepGaussians(const Gaussians& gaussians,
                   const PictureSource& source,
                   const UpdateRules& rules,
                   const MomentArrays& moments,
                   size_t begin,
                   size_t end,
                   const float* gradients);

}  // namespace nerfpipe::nerf::splat
