#include "stages/nerf/ngp_fused.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <utility>

#ifdef NERFPIPE_HIGHWAY_KERNELS
#include "stages/nerf/kernels/ngp_kernels.h"
#endif

namespace nerfpipe::nerf {

#ifdef NERFPIPE_HIGHWAY_KERNELS

namespace {

bool Fits(const NgpOptions& options) {
  return options.levels == kernels::kLevels &&
         options.features == kernels::kFeatures &&
         options.hidden == kernels::kHidden &&
         options.geometry == kernels::kGeometry &&
         options.grid_resolution == kernels::kGridSide;
}

std::span<float> SpanOf(const torch::Tensor& tensor) {
  NERFPIPE_CHECK(tensor.device().is_cpu() && tensor.is_contiguous() &&
                 tensor.scalar_type() == torch::kFloat32);
  return {tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel())};
}

kernels::NetTensors NetsOf(const std::vector<torch::Tensor>& matrices) {
  NERFPIPE_CHECK(matrices.size() == 5);
  return {SpanOf(matrices[0]),
          SpanOf(matrices[1]),
          SpanOf(matrices[2]),
          SpanOf(matrices[3]),
          SpanOf(matrices[4])};
}

kernels::NgpShape ShapeOf(const NgpOptions& options, const FusedRules& rules) {
  kernels::NgpShape shape;
  shape.log2_table = options.log2_table;
  shape.base_resolution = options.base_resolution;
  shape.finest_resolution = rules.finest_resolution;
  shape.contracted = !rules.bounded;
  return shape;
}

// Rays as the kernels read them; the tensors keep the memory alive.
struct RayMemory {
  torch::Tensor origins, directions, near, far;
  kernels::RayArrays arrays;

  explicit RayMemory(const Rays& rays)
      : origins(rays.origins.to(torch::kFloat32).contiguous()),
        directions(rays.directions.to(torch::kFloat32).contiguous()),
        near(rays.near.to(torch::kFloat32).contiguous()),
        far(rays.far.to(torch::kFloat32).contiguous()) {
    arrays = {origins.data_ptr<float>(),
              directions.data_ptr<float>(),
              near.data_ptr<float>(),
              far.data_ptr<float>(),
              static_cast<size_t>(rays.size())};
  }
};

}  // namespace

struct NgpFused::Kernels {
  kernels::OccupancyGrid grid;
  kernels::NgpKernels steps;

  Kernels(const NgpOptions& options,
          const FusedRules& rules,
          const FusedState& state)
      : grid(SpanOf(state.grid)),
        steps(ShapeOf(options, rules),
              {NetsOf(state.nets), SpanOf(state.table)},
              NetsOf(state.nets_first),
              {NetsOf(state.nets_second), SpanOf(state.table_second)},
              &grid,
              kernels::ChoosePrecision(options.bfloat16),
              rules.threads) {
    if (state.free.defined()) {
      NERFPIPE_CHECK(state.free.scalar_type() == torch::kBool &&
                     state.free.is_contiguous());
      grid.SetFree({state.free.data_ptr<bool>(),
                    static_cast<size_t>(state.free.numel())});
    }
  }
};

std::unique_ptr<NgpFused> NgpFused::Make(const NgpOptions& options,
                                         const FusedRules& rules,
                                         const FusedState& state) {
  if (!Fits(options)) {
    return nullptr;
  }
  return std::unique_ptr<NgpFused>(new NgpFused(options, rules, state));
}

NgpFused::NgpFused(const NgpOptions& options,
                   const FusedRules& rules,
                   const FusedState& state)
    : options_(options),
      rules_(rules),
      state_(state),
      kernels_(std::make_unique<Kernels>(options, rules, state)) {}

NgpFused::~NgpFused() = default;

namespace {

kernels::SampleRules SampleRulesOf(const NgpOptions& options,
                                   const FusedRules& rules) {
  kernels::SampleRules samples;
  samples.march.contracted = !rules.bounded;
  samples.march.step = static_cast<float>(rules.march.step);
  samples.march.cone = static_cast<float>(rules.march.cone);
  samples.min_weight = static_cast<float>(options.min_weight);
  samples.stop_transmittance = static_cast<float>(options.stop_transmittance);
  return samples;
}

std::array<float, 3> FloatColour(const std::array<double, 3>& colour) {
  return {static_cast<float>(colour[0]),
          static_cast<float>(colour[1]),
          static_cast<float>(colour[2])};
}

}  // namespace

StepReport NgpFused::Step(const RayBatch& batch,
                          int64_t step,
                          double learning_rate) {
  kernels::GridOptions grid;
  grid.decay = static_cast<float>(options_.grid_decay);
  grid.threshold = static_cast<float>(options_.grid_threshold);
  grid.length = static_cast<float>(rules_.march.step);
  grid.cone = static_cast<float>(rules_.march.cone);
  grid.warmup = options_.grid_warmup;
  grid.every = options_.grid_every;
  // Without a box nearly all of the occupied space is a little foggy.
  grid.refine_every = rules_.bounded ? options_.grid_refine_every : 0;
  grid.seed = rules_.seed;
  kernels_->steps.UpdateGridIfDue(grid, step);

  kernels::StepOptions options;
  options.samples = SampleRulesOf(options_, rules_);
  options.samples.roulette = static_cast<float>(
      options_.roulette * learning_rate / options_.learning_rate);
  options.loss =
      rules_.huber ? kernels::LossKind::kHuber : kernels::LossKind::kSquared;
  options.distortion = static_cast<float>(options_.distortion);
  options.free_space = static_cast<float>(options_.free_space);
  options.net_adam = {static_cast<float>(learning_rate),
                      static_cast<float>(options_.beta1),
                      static_cast<float>(options_.beta2),
                      static_cast<float>(options_.epsilon),
                      static_cast<float>(options_.weight_decay)};
  options.table_adam = options.net_adam;
  options.table_adam.beta2 = static_cast<float>(options_.table_beta2);
  options.random_background = options_.random_background;
  options.background = FloatColour(rules_.background);
  options.target_samples = static_cast<size_t>(options_.batch_samples);
  options.seed = rules_.seed;

  const RayMemory rays(batch.rays);
  const torch::Tensor rgba = batch.rgba.to(torch::kFloat32).contiguous();
  const kernels::StepStats stats = kernels_->steps.TrainStep(
      rays.arrays, rgba.data_ptr<float>(), options, step);

  StepReport report;
  report.samples = stats.trained;
  report.loss = stats.loss;
  report.psnr = -10 * std::log10(stats.squared_error + 1e-12);
  return report;
}

Rendered NgpFused::Render(const Rays& all) {
  const RayMemory rays(all);
  if (rules_.bounded) {
    kernels_->steps.RefineGrid(static_cast<float>(rules_.march.step));
  }
  Rendered rendered;
  rendered.rgb = torch::empty({all.size(), 3});
  rendered.depth = torch::empty({all.size()});
  rendered.opacity = torch::empty({all.size()});
  kernels::SampleRules samples = SampleRulesOf(options_, rules_);
  samples.roulette = static_cast<float>(kRenderRoulette);
  samples.stop_transmittance = static_cast<float>(kRenderStop);
  kernels_->steps.RenderRays(rays.arrays,
                             samples,
                             FloatColour(rules_.background),
                             rendered.rgb.data_ptr<float>(),
                             rendered.depth.data_ptr<float>(),
                             rendered.opacity.data_ptr<float>());
  return rendered;
}

torch::Tensor NgpFused::FineGrid() const {
  const torch::Tensor words = torch::zeros({kFineGridWords}, torch::kInt32);
  if (const auto& fine = kernels_->steps.fine()) {
    NERFPIPE_CHECK(fine->words().size() == kFineGridWords);
    std::copy(
        fine->words().begin(), fine->words().end(), words.data_ptr<int32_t>());
  }
  return words;
}

void NgpFused::Reload(const torch::Tensor& fine_grid) {
  NERFPIPE_CHECK(fine_grid.scalar_type() == torch::kInt32 &&
                 fine_grid.is_contiguous());
  const int32_t* words = fine_grid.data_ptr<int32_t>();
  std::optional<kernels::OccupancyBits> fine;
  if (std::any_of(words, words + fine_grid.numel(), [](int32_t word) {
        return word != 0;
      })) {
    fine.emplace(2 * kernels::kGridSide,
                 std::vector<uint32_t>(words, words + fine_grid.numel()));
  }
  GridChanged();
  kernels_->steps.Reload(std::move(fine));
}

void NgpFused::GridChanged() {
  kernels_->grid.Rebuild(static_cast<float>(options_.grid_threshold),
                         rules_.threads);
}

#else  // NERFPIPE_HIGHWAY_KERNELS

struct NgpFused::Kernels {};

std::unique_ptr<NgpFused> NgpFused::Make(const NgpOptions&,
                                         const FusedRules&,
                                         const FusedState&) {
  return nullptr;
}

NgpFused::~NgpFused() = default;

StepReport NgpFused::Step(const RayBatch&, int64_t, double) { return {}; }

Rendered NgpFused::Render(const Rays&) { return {}; }

torch::Tensor NgpFused::FineGrid() const { return {}; }

void NgpFused::Reload(const torch::Tensor&) {}

void NgpFused::GridChanged() {}

#endif  // NERFPIPE_HIGHWAY_KERNELS

}  // namespace nerfpipe::nerf
