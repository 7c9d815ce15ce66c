#pragma once

// Gaussians as a camera sees them in plain LibTorch operations: what the
// kernels have to agree with, and autograd's word for the gradients. Any number
// type; small sizes only, since every gaussian meets every pixel.

#include "stages/nerf/splat/kernels/gaussian_blocks.h"
#include "stages/nerf/splat/kernels/image_loss.h"
#include "stages/nerf/splat/kernels/rasteriser.h"
#include "stages/nerf/tensors.h"

namespace nerfpipe::nerf::splat {

struct PlainGaussians {
  torch::Tensor means;       // N x 3
  torch::Tensor log_scales;  // N x 3
  torch::Tensor rotations;   // N x 4
  torch::Tensor opacities;   // N, before the logistic function
  torch::Tensor colours;     // N x harmonics x 3
  torch::Tensor smoothing;   // N
};

struct PlainPicture {
  torch::Tensor rgb;      // height x width x 3
  torch::Tensor depth;    // height x width, not divided by the opacity
  torch::Tensor opacity;  // height x width
};

PlainPicture RasterisePlain(const PlainGaussians& gaussians,
                            const PinholeView& view,
                            int degree,
                            const RasterRules& rules);

// Sum over pixels and channels. `mask`: undefined, or height x width of 0 and
// 1.
torch::Tensor PlainLoss(const LossRules& rules,
                        const torch::Tensor& rgb,
                        const torch::Tensor& truth,
                        const torch::Tensor& mask);

}  // namespace nerfpipe::nerf::splat
