#include "stages/nerf/compositing.h"

#include <cmath>
#include <vector>

namespace nerfpipe::nerf {
namespace {

torch::Tensor BoostsOf(const PackedSegments& segments) {
  return segments.boosts.defined() ? segments.boosts
                                   : torch::ones_like(segments.deltas);
}

// Ray of each sample, M.
torch::Tensor RayOfSample(const torch::Tensor& offsets) {
  const torch::Tensor counts = offsets.slice(0, 1) - offsets.slice(0, 0, -1);
  return torch::repeat_interleave(counts);
}

// Of the distortion loss by the weights.
torch::Tensor DistortionSlopes(const torch::Tensor& weights,
                               const torch::Tensor& distances,
                               const torch::Tensor& deltas,
                               const torch::Tensor& offsets) {
  const torch::NoGradGuard no_grad;
  // In double: the sums run over all rays.
  const torch::Tensor w = weights.to(torch::kFloat64);
  const torch::Tensor u = (distances / (1 + distances)).to(torch::kFloat64);
  const torch::Tensor ray = RayOfSample(offsets);
  const auto of_ray = [&](const torch::Tensor& values) {
    return SumPerRay(values, offsets).index_select(0, ray);
  };
  const auto before = [&](const torch::Tensor& values) {
    const torch::Tensor running =
        torch::cat({torch::zeros({1}, values.options()), values.cumsum(0)});
    return running.slice(0, 0, -1) -
           running.index_select(0, offsets).index_select(0, ray);
  };
  const torch::Tensor apart =
      2 * (u * before(w) - before(w * u)) + of_ray(w * u) - u * of_ray(w);
  const torch::Tensor lengths = deltas * (1 - u).square();
  return (2 * apart + 2.0 / 3 * w * lengths).to(weights.dtype());
}

}  // namespace

Composited CompositeSamples(const torch::Tensor& raw,
                            const torch::Tensor& depths,
                            const torch::Tensor& directions,
                            const torch::Tensor& noise) {
  const torch::Tensor last = torch::full_like(depths.slice(1, 0, 1), 1e10);
  const torch::Tensor intervals =
      torch::cat({depths.slice(1, 1) - depths.slice(1, 0, -1), last}, 1) *
      directions.norm(2, {-1}, /*keepdim=*/true);
  torch::Tensor density = raw.select(2, 3);
  if (noise.defined()) {
    density = density + noise;
  }
  const torch::Tensor alpha = 1 - torch::exp(-torch::relu(density) * intervals);
  const torch::Tensor passed =
      torch::cat({torch::ones_like(last), 1 - alpha + 1e-10}, 1);

  Composited result;
  result.weights = alpha * torch::cumprod(passed, 1).slice(1, 0, -1);
  const torch::Tensor colours = torch::sigmoid(raw.slice(2, 0, 3));
  result.rgb = (result.weights.unsqueeze(2) * colours).sum(1);
  result.depth = (result.weights * depths).sum(1);
  result.opacity = result.weights.sum(1);
  return result;
}

PackedComposite CompositePacked(const torch::Tensor& densities,
                                const torch::Tensor& colours,
                                const PackedSegments& segments) {
  const int64_t rays = segments.tails.size(0);
  const torch::Tensor ray = RayOfSample(segments.offsets);
  // In double: the sums run over all rays.
  const torch::Tensor tau =
      densities.to(torch::kFloat64) * segments.deltas.to(torch::kFloat64);
  const torch::Tensor boosts = BoostsOf(segments).to(torch::kFloat64);
  // The same values, with the boost on what they hide of all behind them.
  const torch::Tensor hiding = tau.detach() + boosts * (tau - tau.detach());
  const torch::Tensor gaps = segments.gaps.to(torch::kFloat64);
  const torch::Tensor running = torch::cat(
      {torch::zeros({1}, tau.options()), torch::cumsum(hiding + gaps, 0)}, 0);
  const torch::Tensor at_start = running.index_select(0, segments.offsets);
  const torch::Tensor in_front =
      running.slice(0, 0, -1) + gaps - at_start.index_select(0, ray);
  const torch::Tensor weights =
      (boosts * torch::exp(-in_front) * (1 - torch::exp(-tau)))
          .to(densities.dtype());
  const torch::Tensor total = at_start.slice(0, 1) - at_start.slice(0, 0, -1) +
                              segments.tails.to(torch::kFloat64);
  PackedComposite result;
  result.rgb = torch::zeros({rays, 3}, colours.options())
                   .index_add(0, ray, weights.unsqueeze(1) * colours);
  result.transmittance = torch::exp(-total).to(densities.dtype());
  result.weights = weights;
  return result;
}

torch::Tensor SumPerRay(const torch::Tensor& values,
                        const torch::Tensor& offsets) {
  return torch::zeros({offsets.size(0) - 1}, values.options())
      .index_add(0, RayOfSample(offsets), values);
}

torch::Tensor LossOfWeights(const torch::Tensor& densities,
                            const torch::Tensor& slopes,
                            const PackedSegments& segments) {
  // Slopes by the weights go on to the densities as colours do.
  const torch::Tensor grey = (slopes / 3).unsqueeze(1).repeat({1, 3});
  return CompositePacked(densities, grey, segments).rgb.sum();
}

torch::Tensor DistortionLoss(const torch::Tensor& densities,
                             const torch::Tensor& weights,
                             const torch::Tensor& distances,
                             const PackedSegments& segments) {
  return LossOfWeights(
      densities,
      DistortionSlopes(weights, distances, segments.deltas, segments.offsets),
      segments);
}

Selection SelectSamples(const torch::Tensor& densities_in,
                        const torch::Tensor& deltas_in,
                        const torch::Tensor& offsets_in,
                        double min_weight,
                        double stop,
                        const Roulette& roulette) {
  const torch::NoGradGuard no_grad;
  const torch::Device device = densities_in.device();
  const auto to_cpu = [](const torch::Tensor& tensor, torch::Dtype dtype) {
    return tensor.to(torch::kCPU, dtype).contiguous();
  };
  const torch::Tensor densities = to_cpu(densities_in, torch::kFloat32);
  const torch::Tensor deltas = to_cpu(deltas_in, torch::kFloat32);
  const torch::Tensor offsets = to_cpu(offsets_in, torch::kInt64);
  const float* density = densities.data_ptr<float>();
  const float* delta = deltas.data_ptr<float>();
  const int64_t* offset = offsets.data_ptr<int64_t>();
  const int64_t rays = offsets.size(0) - 1;
  const float least = static_cast<float>(roulette.weight);
  const torch::Tensor chances = least > 0
                                    ? to_cpu(roulette.chances, torch::kFloat32)
                                    : torch::zeros({rays});

  std::vector<int64_t> index;
  std::vector<float> gaps, boosts;
  std::vector<int64_t> new_offsets = {0};
  std::vector<float> tails;
  for (int64_t ray = 0; ray < rays; ++ray) {
    float transmittance = 1;
    float gap = 0;
    float unspent = least * chances.data_ptr<float>()[ray];
    // The boost of a sample that is kept, else 0.
    const auto boost_of = [&](float weight) -> float {
      if (least == 0) return weight >= min_weight ? 1 : 0;
      if (weight >= least) return 1;
      unspent += weight;
      if (unspent < least) return 0;
      unspent -= least;
      return least / weight;
    };
    for (int64_t k = offset[ray]; k < offset[ray + 1]; ++k) {
      const float tau = density[k] * delta[k];
      const float passed = std::exp(-tau);
      const float boost =
          transmittance >= stop ? boost_of(transmittance * (1 - passed)) : 0;
      if (boost > 0) {
        index.push_back(k);
        gaps.push_back(gap);
        boosts.push_back(boost);
        gap = 0;
      } else {
        gap += tau;
      }
      transmittance *= passed;
    }
    tails.push_back(gap);
    new_offsets.push_back(static_cast<int64_t>(index.size()));
  }

  const auto as_tensor = [&](const auto& values, torch::Dtype dtype) {
    return torch::tensor(
        torch::ArrayRef<typename std::decay_t<decltype(values)>::value_type>(
            values),
        torch::TensorOptions().dtype(dtype).device(device));
  };
  Selection selection;
  selection.index = as_tensor(index, torch::kInt64);
  selection.segments.offsets = as_tensor(new_offsets, torch::kInt64);
  selection.segments.gaps = as_tensor(gaps, torch::kFloat32);
  selection.segments.tails = as_tensor(tails, torch::kFloat32);
  selection.segments.boosts = as_tensor(boosts, torch::kFloat32);
  selection.segments.deltas = deltas_in.index_select(0, selection.index);
  return selection;
}

}  // namespace nerfpipe::nerf
