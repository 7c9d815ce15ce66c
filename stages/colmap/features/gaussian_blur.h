#pragma once

// Gaussian smoothing of float images, fast enough that the scale space of SIFT
// is no longer the slow part of finding features. Standard library only.

namespace nerfpipe::sfm {

// `in` and `out` are different images of `width` x `height`, row after row.
// The kernel ends at 4 sigma and sums to 1; beyond the border the outermost
// pixels repeat.
void BlurGaussian(
    const float* in, int width, int height, double sigma, float* out);

}  // namespace nerfpipe::sfm
