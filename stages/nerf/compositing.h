#pragma once

// Volume rendering: from densities and colours along a ray to a pixel.

#include "stages/nerf/tensors.h"

namespace nerfpipe::nerf {

// N rays with S samples each.
struct Composited {
  torch::Tensor rgb;      // N x 3, without background
  torch::Tensor depth;    // N, sum of weight times depth
  torch::Tensor opacity;  // N, sum of weights
  torch::Tensor weights;  // N x S
};

// The paper's quadrature (equation 3) in nerf-pytorch's form (raw2outputs):
// raw: N x S x 4, colour logits and density; depths: N x S, ascending;
// directions: N x 3, whose lengths scale the intervals; the last interval is
// 1e10. `noise` (N x S) is added to the density before the ReLU; undefined:
// none.
Composited CompositeSamples(const torch::Tensor& raw,
                            const torch::Tensor& depths,
                            const torch::Tensor& directions,
                            const torch::Tensor& noise = {});

// Samples of many rays one after the other, rays of any length. Between the
// samples may lie thin matter that has no colour of its own: its optical depth
// is in the gaps.
struct PackedSegments {
  torch::Tensor offsets;  // N + 1, int64: ray i has samples offsets[i] ..
  torch::Tensor deltas;   // M, length of each sample
  torch::Tensor gaps;     // M, optical depth in front of each sample
  torch::Tensor tails;    // N, optical depth behind the last sample
  // M, one over the chance of each sample to be among these: a factor on its
  // weight in the sums and on all of its density's gradient. Undefined: 1.
  torch::Tensor boosts;
};

struct PackedComposite {
  torch::Tensor rgb;            // N x 3, without background
  torch::Tensor transmittance;  // N, what is left behind the ray
  torch::Tensor weights;        // M, boosted
};

// densities: M, colours: M x 3. Differentiable in both. By running sums of the
// optical depth, on any device.
PackedComposite CompositePacked(const torch::Tensor& densities,
                                const torch::Tensor& colours,
                                const PackedSegments& segments);

// A number with the gradient by the densities (M) of a loss that has `slopes`
// (M) by the weights of CompositePacked().
torch::Tensor LossOfWeights(const torch::Tensor& densities,
                            const torch::Tensor& slopes,
                            const PackedSegments& segments);

// The same of the distortion loss
// (Barron et al. 2022, equation 15) summed over rays: of sum_ij w_i w_j |u_i -
// u_j| + sum_i w_i^2 l_i / 3, with distances t (M) as u = t / (1 + t) and
// lengths l in them. `weights` are those of CompositePacked().
torch::Tensor DistortionLoss(const torch::Tensor& densities,
                             const torch::Tensor& weights,
                             const torch::Tensor& distances,
                             const PackedSegments& segments);

// Sum of `values` (M) of each ray, N.
torch::Tensor SumPerRay(const torch::Tensor& values,
                        const torch::Tensor& offsets);

// Of the samples of many rays, those that are worth colour and training.
struct Selection {
  torch::Tensor index;      // K, int64: which samples
  PackedSegments segments;  // of the selected ones; the rest is in the gaps
};

// Russian roulette (Arvo and Kirk 1990) over the samples of a ray: those
// lighter than `weight` are kept with the chance that makes the kept ones weigh
// `weight` on average.
struct Roulette {
  double weight = 0;      // 0: none
  torch::Tensor chances;  // N, in [0, 1): where each ray's wheel starts
};

// Selects samples whose weight is at least `min_weight`, or by roulette, and
// that lie before the transmittance falls below `stop`. densities, deltas: M;
// offsets: N + 1. No gradient.
Selection SelectSamples(const torch::Tensor& densities,
                        const torch::Tensor& deltas,
                        const torch::Tensor& offsets,
                        double min_weight,
                        double stop,
                        const Roulette& roulette = {});

}  // namespace nerfpipe::nerf
