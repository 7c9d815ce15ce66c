#include "stages/nerf/ngp_plain.h"

#include "stages/nerf/compositing.h"
#include "stages/nerf/encoding.h"
#include "stages/nerf/seeds.h"

#include <algorithm>
#include <cmath>

namespace nerfpipe::nerf {
namespace {

constexpr double kHuberDelta = 0.1;
constexpr int64_t kRenderChunk = 4096;
// Points that are encoded at once where no gradient is wanted.
constexpr int64_t kEncodeChunk = 1 << 14;

// Samples that matter along rays, ready for colour.
struct Prepared {
  PackedSamples samples;
  torch::Tensor features;  // of all samples
  Selection selection;
};

struct Shaded {
  torch::Tensor densities;  // of the selected samples
  PackedComposite composite;
};

class NgpPlain : public NgpBackend {
 public:
  NgpPlain(const NgpRun& run, NgpState* state) : run_(run), state_(*state) {}

  StepReport Step(const RayBatch& batch,
                  int64_t step,
                  double learning_rate) override;
  Rendered Render(const Rays& rays) const override;
  torch::Tensor FineGrid() const override {
    return torch::zeros({kFineGridWords}, torch::kInt32);
  }
  void StateChanged(const torch::Tensor&) override {}
  void GridChanged() override {}

 private:
  torch::Tensor Encode(const torch::Tensor& positions) const;
  torch::Tensor Density(const torch::Tensor& positions) const;
  Prepared Prepare(const Rays& rays,
                   const torch::Tensor& jitter,
                   const Roulette& roulette,
                   double stop_transmittance) const;
  Shaded Shade(const Prepared& prepared,
               const torch::Tensor& features,
               const torch::Tensor& view_directions) const;
  torch::Tensor BackgroundOf(int64_t rays, int64_t step) const;
  torch::Tensor Loss(const torch::Tensor& rgb,
                     const torch::Tensor& truth) const;
  torch::Tensor Distortion(const Prepared& prepared,
                           const Shaded& shaded,
                           const Rays& rays) const;
  torch::Tensor WeightInFree(const Prepared& prepared,
                             const Shaded& shaded) const;
  void Optimise(double learning_rate);
  Rendered RenderChunk(const Rays& rays) const;

  NgpRun run_;
  NgpState& state_;
};

torch::Tensor NgpPlain::Encode(const torch::Tensor& positions) const {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> parts;
  for (const torch::Tensor& piece : positions.split(kEncodeChunk)) {
    parts.push_back(HashEncode(state_.table, piece, state_.levels));
  }
  return torch::cat(parts);
}

torch::Tensor NgpPlain::Density(const torch::Tensor& positions) const {
  const torch::NoGradGuard no_grad;
  return DensityFromLog(state_.nets->LogDensity(Encode(positions)));
}

Prepared NgpPlain::Prepare(const Rays& rays,
                           const torch::Tensor& jitter,
                           const Roulette& roulette,
                           double stop_transmittance) const {
  const torch::NoGradGuard no_grad;
  Prepared prepared;
  prepared.samples = state_.grid.March(
      run_.bounded ? ClipToBox(rays) : rays, jitter, run_.march);
  prepared.features = Encode(prepared.samples.positions);
  prepared.selection =
      SelectSamples(DensityFromLog(state_.nets->LogDensity(prepared.features)),
                    prepared.samples.deltas,
                    prepared.samples.offsets,
                    run_.options.min_weight,
                    stop_transmittance,
                    roulette);
  return prepared;
}

// `features` are those of the selected samples.
Shaded NgpPlain::Shade(const Prepared& prepared,
                       const torch::Tensor& features,
                       const torch::Tensor& view_directions) const {
  const torch::Tensor rays =
      prepared.samples.rays.index_select(0, prepared.selection.index);
  const torch::Tensor direction =
      SphericalHarmonics4(view_directions).index_select(0, rays);
  const torch::Tensor geometry = state_.nets->Geometry(features);
  const torch::Tensor densities = DensityFromLog(geometry.select(1, 0));
  return {densities,
          CompositePacked(densities,
                          state_.nets->Colour(geometry, direction),
                          prepared.selection.segments)};
}

torch::Tensor NgpPlain::BackgroundOf(int64_t rays, int64_t step) const {
  torch::Generator colours = GeneratorOf(run_.seed, Purpose::kBackground, step);
  const auto& colour = run_.background;
  return (run_.options.random_background
              ? torch::rand({rays, 3}, colours)
              : torch::tensor({colour[0], colour[1], colour[2]},
                              torch::kFloat32)
                    .expand({rays, 3}))
      .to(run_.device);
}

torch::Tensor NgpPlain::Loss(const torch::Tensor& rgb,
                             const torch::Tensor& truth) const {
  return run_.options.loss == "huber"
             ? torch::huber_loss(
                   rgb, truth, torch::Reduction::Mean, kHuberDelta)
             : torch::mse_loss(rgb, truth);
}

// In the mean over rays.
torch::Tensor NgpPlain::Distortion(const Prepared& prepared,
                                   const Shaded& shaded,
                                   const Rays& rays) const {
  const torch::Tensor& index = prepared.selection.index;
  const torch::Tensor distances =
      prepared.samples.depths *
      rays.directions.norm(2, {-1}).index_select(0, prepared.samples.rays);
  return DistortionLoss(shaded.densities,
                        shaded.composite.weights,
                        distances.index_select(0, index),
                        prepared.selection.segments) /
         rays.size();
}

// In the mean over rays.
torch::Tensor NgpPlain::WeightInFree(const Prepared& prepared,
                                     const Shaded& shaded) const {
  const torch::Tensor free = state_.grid.Free(
      prepared.samples.positions.index_select(0, prepared.selection.index));
  const PackedSegments& segments = prepared.selection.segments;
  return LossOfWeights(
             shaded.densities, free.to(shaded.densities.options()), segments) /
         (segments.offsets.size(0) - 1);
}

StepReport NgpPlain::Step(const RayBatch& batch,
                          int64_t step,
                          double learning_rate) {
  const NgpOptions& options = run_.options;
  state_.grid.UpdateIfDue(
      step,
      run_.march.step,
      [this](const torch::Tensor& positions) { return Density(positions); },
      run_.device);

  const int64_t count = batch.rays.size();
  torch::Generator places = GeneratorOf(run_.seed, Purpose::kSamples, step);
  const torch::Tensor jitter = torch::rand({count}, places);
  const Prepared prepared =
      Prepare(batch.rays,
              jitter,
              {options.roulette * learning_rate / options.learning_rate,
               torch::rand({count}, places)},
              options.stop_transmittance);
  const torch::Tensor positions =
      prepared.samples.positions.index_select(0, prepared.selection.index);
  const Shaded shaded =
      Shade(prepared,
            HashEncode(state_.table, positions, state_.levels),
            batch.rays.view_directions);
  const PackedComposite& composite = shaded.composite;

  const torch::Tensor background = BackgroundOf(count, step);
  const torch::Tensor alpha = batch.rgba.slice(1, 3);
  const torch::Tensor truth =
      batch.rgba.slice(1, 0, 3) * alpha + background * (1 - alpha);
  const torch::Tensor rgb =
      composite.rgb + composite.transmittance.unsqueeze(1) * background;
  const torch::Tensor loss = Loss(rgb, truth);

  StepReport report;
  report.samples = positions.size(0);
  report.loss = loss.item<double>();
  report.psnr =
      -10 *
      std::log10(torch::mse_loss(rgb.detach(), truth).item<double>() + 1e-12);
  if (report.samples > 0) {
    torch::Tensor sum = loss;
    if (options.distortion > 0) {
      sum = sum + options.distortion * Distortion(prepared, shaded, batch.rays);
    }
    if (state_.grid.free_cells().defined()) {
      sum = sum + options.free_space * WeightInFree(prepared, shaded);
    }
    sum.backward();
    Optimise(learning_rate);
  }
  return report;
}

void NgpPlain::Optimise(double learning_rate) {
  AdamRows(state_.table.detach(),
           state_.table.grad(),
           state_.table_second,
           learning_rate,
           AdamSettings{0, run_.options.table_beta2, run_.options.epsilon, 0});
  state_.table.mutable_grad() = torch::Tensor();
  state_.adam->Step(learning_rate);
}

Rendered NgpPlain::RenderChunk(const Rays& rays) const {
  const torch::Tensor half = torch::full({rays.size()}, 0.5);
  const Prepared prepared =
      Prepare(rays, half, {kRenderRoulette, half}, kRenderStop);
  const torch::Tensor& index = prepared.selection.index;
  const PackedComposite composite =
      Shade(prepared,
            prepared.features.index_select(0, index),
            rays.view_directions)
          .composite;
  const auto& colour = run_.background;
  const torch::Tensor background =
      torch::tensor({colour[0], colour[1], colour[2]}, composite.rgb.options());
  const torch::Tensor& offsets = prepared.selection.segments.offsets;
  Rendered rendered;
  rendered.rgb =
      composite.rgb + composite.transmittance.unsqueeze(1) * background;
  rendered.opacity = 1 - composite.transmittance;
  rendered.depth = SumPerRay(composite.weights *
                                 prepared.samples.depths.index_select(0, index),
                             offsets) /
                   SumPerRay(composite.weights, offsets).clamp_min(1e-6);
  return rendered;
}

Rendered NgpPlain::Render(const Rays& rays) const {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> rgb, depth, opacity;
  for (int64_t begin = 0; begin < rays.size(); begin += kRenderChunk) {
    const Rendered part = RenderChunk(
        rays.Slice(begin, std::min(rays.size(), begin + kRenderChunk)));
    rgb.push_back(part.rgb);
    depth.push_back(part.depth);
    opacity.push_back(part.opacity);
  }
  return {torch::cat(rgb), torch::cat(depth), torch::cat(opacity)};
}

}  // namespace

std::unique_ptr<NgpBackend> MakeNgpPlain(const NgpRun& run, NgpState* state) {
  return std::make_unique<NgpPlain>(run, state);
}

}  // namespace nerfpipe::nerf
