#pragma once

// Scores that forgive light: a photo's exposure and white balance are its own,
// and a picture of the scene cannot know them.

#include "stages/nerf/tensors.h"

namespace nerfpipe::nerf {

// `image` with a gain and an offset for each channel, those that bring it
// closest to `truth` by least squares, clamped to [0, 1]: the affine map of
// RawNeRF (Mildenhall et al. 2022), from picture to photo as in mip-NeRF 360's
// evaluation (Barron et al. 2022). For a truth in [0, 1] its PSNR is never
// below that of `image`. Both are height x width x channels, floats on any
// device; the result is of the type of `image`, on the CPU. A channel without
// any contrast becomes the mean of the truth.
torch::Tensor ColourCorrected(const torch::Tensor& image,
                              const torch::Tensor& truth);

}  // namespace nerfpipe::nerf
