#pragma once

// Depths of samples along rays for the coarse and the fine network. The random
// numbers are arguments: the functions themselves are exact.

#include "stages/nerf/tensors.h"

namespace nerfpipe::nerf {

// N x count depths, one per bin between near and far (N each), bins of equal
// width in depth, or in disparity with `lindisp`. `uniforms` (N x count, in
// [0, 1)) places each sample in its bin; undefined: at the bin's own depth.
// Mildenhall et al. 2020, equation 2; nerf-pytorch, render_rays.
torch::Tensor StratifiedDepths(const torch::Tensor& near,
                               const torch::Tensor& far,
                               int64_t count,
                               bool lindisp,
                               const torch::Tensor& uniforms = {});

// Inverse-CDF samples of the piecewise-constant density with `weights`
// (N x (M - 1)) between `edges` (N x M). `uniforms` is N x K; so is the result.
// nerf-pytorch, sample_pdf.
torch::Tensor SamplePdf(const torch::Tensor& edges,
                        const torch::Tensor& weights,
                        const torch::Tensor& uniforms);

}  // namespace nerfpipe::nerf
