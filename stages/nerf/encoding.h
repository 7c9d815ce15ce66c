#pragma once

// Encodings of positions and directions that have no parameters, and the
// contraction of unbounded space.

#include "stages/nerf/tensors.h"

namespace nerfpipe::nerf {

// [x, sin(x), cos(x), sin(2 x), cos(2 x), ...] with `bands` doublings: N x D to
// N x D (1 + 2 bands). No factor of pi, as in nerf-pytorch's Embedder.
torch::Tensor FrequencyEncode(const torch::Tensor& x, int bands);

// The 16 real spherical harmonics of degree 0 to 3 of unit vectors (N x 3), in
// the order and with the signs of tiny-cuda-nn (SphericalHarmonics, degree 4).
torch::Tensor SphericalHarmonics4(const torch::Tensor& directions);

// x inside the cube [-1, 1]^3, (2 - 1 / |x|) x / |x| outside, with the
// max-norm: all of space into [-2, 2]^3 (nerfstudio, SceneContraction).
torch::Tensor Contract(const torch::Tensor& x);

}  // namespace nerfpipe::nerf
