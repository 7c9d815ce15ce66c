#pragma once

// How close a rendered image is to the photograph: PSNR, SSIM, MS-SSIM.

#include "stages/nerf/tensors.h"

namespace nerfpipe::nerf {

// All take two images of the same shape, height x width x channels, floats in
// [0, 1], on any device, and compute in double precision.

// Peak signal-to-noise ratio in dB: -10 log10 of the mean squared error over
// all pixels and channels. Identical images give 100, so that the number can
// be averaged and written as JSON.
double Psnr(const torch::Tensor& image, const torch::Tensor& truth);

// Structural similarity (Wang et al. 2004): Gaussian window of 11 x 11 with
// sigma 1.5, K1 0.01, K2 0.03, population covariance, averaged over the region
// where the window fits and over channels; the same number as scikit-image's
// structural_similarity(gaussian_weights=True, sigma=1.5,
// use_sample_covariance=False, data_range=1, channel_axis=-1). Images smaller
// than the window use the largest odd window that fits.
double Ssim(const torch::Tensor& image, const torch::Tensor& truth);

// Multi-scale structural similarity (Wang, Simoncelli and Bovik 2003): contrast
// and structure at five scales, each of half the size of the one before, and
// luminance at the last, with that paper's exponents. Nearer to what people
// see than SSIM, which knows the finest grain alone. Images in which the window
// does not fit five times have fewer scales, whose exponents keep their sum.
double MsSsim(const torch::Tensor& image, const torch::Tensor& truth);

}  // namespace nerfpipe::nerf
