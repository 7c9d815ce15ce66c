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

kernels::NetTensors NetsOf(const NgpNets& nets) {
  std::vector<torch::Tensor> matrices;
  for (const auto& [name, parameter] : nets.Parameters()) {
    matrices.push_back(parameter.detach());
  }
  return NetsOf(matrices);
}

kernels::NgpShape ShapeOf(const NgpRun& run) {
  kernels::NgpShape shape;
  shape.log2_table = run.options.log2_table;
  shape.base_resolution = run.options.base_resolution;
  shape.finest_resolution = run.options.finest_resolution;
  shape.contracted = !run.bounded;
  return shape;
}

kernels::SampleRules SampleRulesOf(const NgpRun& run) {
  kernels::SampleRules samples;
  samples.march.contracted = !run.bounded;
  samples.march.step = static_cast<float>(run.march.step);
  samples.march.cone = static_cast<float>(run.march.cone);
  samples.min_weight = static_cast<float>(run.options.min_weight);
  samples.stop_transmittance =
      static_cast<float>(run.options.stop_transmittance);
  return samples;
}

kernels::GridOptions GridOptionsOf(const NgpRun& run) {
  kernels::GridOptions grid;
  grid.decay = static_cast<float>(run.options.grid_decay);
  grid.threshold = static_cast<float>(run.options.grid_threshold);
  grid.length = static_cast<float>(run.march.step);
  grid.warmup = run.options.grid_warmup;
  grid.every = run.options.grid_every;
  // Without a box nearly all of the occupied space is a little foggy.
  grid.refine_every = run.bounded ? run.options.grid_refine_every : 0;
  grid.seed = run.seed;
  return grid;
}

std::array<float, 3> FloatColour(const std::array<double, 3>& colour) {
  return {static_cast<float>(colour[0]),
          static_cast<float>(colour[1]),
          static_cast<float>(colour[2])};
}

kernels::StepOptions StepOptionsOf(const NgpRun& run, double learning_rate) {
  const NgpOptions& o = run.options;
  kernels::StepOptions options;
  options.samples = SampleRulesOf(run);
  options.samples.roulette =
      static_cast<float>(o.roulette * learning_rate / o.learning_rate);
  options.loss = o.loss == "huber" ? kernels::LossKind::kHuber
                                   : kernels::LossKind::kSquared;
  options.distortion = static_cast<float>(o.distortion);
  options.free_space = static_cast<float>(o.free_space);
  options.net_adam = {static_cast<float>(learning_rate),
                      static_cast<float>(o.beta1),
                      static_cast<float>(o.beta2),
                      static_cast<float>(o.epsilon),
                      static_cast<float>(o.weight_decay)};
  options.table_adam = options.net_adam;
  options.table_adam.beta2 = static_cast<float>(o.table_beta2);
  options.random_background = o.random_background;
  options.background = FloatColour(run.background);
  options.target_samples = static_cast<size_t>(o.batch_samples);
  options.seed = run.seed;
  return options;
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

class NgpFused : public NgpBackend {
 public:
  NgpFused(const NgpRun& run, NgpState* state);

  StepReport Step(const RayBatch& batch,
                  int64_t step,
                  double learning_rate) override;
  Rendered Render(const Rays& rays) const override;
  torch::Tensor FineGrid() const override;
  void StateChanged(const torch::Tensor& fine_grid) override;
  void GridChanged() override {
    grid_.Rebuild(static_cast<float>(run_.options.grid_threshold),
                  run_.threads);
  }

 private:
  NgpRun run_;
  NgpState& state_;
  kernels::OccupancyGrid grid_;
  // Pictures find out about the grid what later ones can use.
  std::unique_ptr<kernels::NgpKernels> kernels_;
};

NgpFused::NgpFused(const NgpRun& run, NgpState* state)
    : run_(run),
      state_(*state),
      grid_(SpanOf(state->grid.values())),
      kernels_(std::make_unique<kernels::NgpKernels>(
          ShapeOf(run),
          kernels::NgpTensors{NetsOf(*state->nets),
                              SpanOf(state->table.detach())},
          NetsOf(state->adam->first()),
          kernels::NgpTensors{NetsOf(state->adam->second()),
                              SpanOf(state->table_second)},
          &grid_,
          kernels::ChoosePrecision(run.options.bfloat16),
          run.threads)) {
  const torch::Tensor& free = state->grid.free_cells();
  if (!free.defined()) return;
  NERFPIPE_CHECK(free.scalar_type() == torch::kBool && free.is_contiguous());
  grid_.SetFree({free.data_ptr<bool>(), static_cast<size_t>(free.numel())});
}

StepReport NgpFused::Step(const RayBatch& batch,
                          int64_t step,
                          double learning_rate) {
  kernels_->UpdateGridIfDue(GridOptionsOf(run_), step);
  const RayMemory rays(batch.rays);
  const torch::Tensor rgba = batch.rgba.to(torch::kFloat32).contiguous();
  const kernels::StepStats stats =
      kernels_->TrainStep(rays.arrays,
                          rgba.data_ptr<float>(),
                          StepOptionsOf(run_, learning_rate),
                          step);
  state_.adam->SetSteps(step + 1);
  StepReport report;
  report.samples = stats.trained;
  report.loss = stats.loss;
  report.psnr = -10 * std::log10(stats.squared_error + 1e-12);
  return report;
}

Rendered NgpFused::Render(const Rays& all) const {
  const RayMemory rays(all);
  if (run_.bounded) {
    kernels_->RefineGrid(static_cast<float>(run_.march.step));
  }
  Rendered rendered;
  rendered.rgb = torch::empty({all.size(), 3});
  rendered.depth = torch::empty({all.size()});
  rendered.opacity = torch::empty({all.size()});
  kernels::SampleRules samples = SampleRulesOf(run_);
  samples.roulette = static_cast<float>(kRenderRoulette);
  samples.stop_transmittance = static_cast<float>(kRenderStop);
  kernels_->RenderRays(rays.arrays,
                       samples,
                       FloatColour(run_.background),
                       rendered.rgb.data_ptr<float>(),
                       rendered.depth.data_ptr<float>(),
                       rendered.opacity.data_ptr<float>());
  return rendered;
}

torch::Tensor NgpFused::FineGrid() const {
  const torch::Tensor words = torch::zeros({kFineGridWords}, torch::kInt32);
  if (const auto& fine = kernels_->fine()) {
    NERFPIPE_CHECK(fine->words().size() == kFineGridWords);
    std::copy(
        fine->words().begin(), fine->words().end(), words.data_ptr<int32_t>());
  }
  return words;
}

void NgpFused::StateChanged(const torch::Tensor& fine_grid) {
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
  kernels_->Reload(std::move(fine));
}

}  // namespace

std::string WhyNotFused(const NgpOptions& options, torch::Device device) {
  if (!device.is_cpu()) {
    return "The fast kernels of ngp are for the processor; on " + device.str() +
           " plain LibTorch does the work.";
  }
  struct Size {
    const char* name;
    int wanted, made_for;
  };
  const Size sizes[] = {
      {"levels", options.levels, kernels::kLevels},
      {"features", options.features, kernels::kFeatures},
      {"hidden", options.hidden, kernels::kHidden},
      {"geometry", options.geometry, kernels::kGeometry},
      {"grid_resolution", options.grid_resolution, kernels::kGridSide}};
  std::string others;
  for (const Size& size : sizes) {
    if (size.wanted == size.made_for) continue;
    others += (others.empty() ? "ngp." : ", ngp.") + std::string(size.name) +
              "=" + std::to_string(size.made_for);
  }
  if (others.empty()) return "";
  return "The fast kernels of ngp are made for " + others +
         "; plain LibTorch does the work, many times slower.";
}

std::unique_ptr<NgpBackend> MakeNgpFused(const NgpRun& run, NgpState* state) {
  return std::make_unique<NgpFused>(run, state);
}

#else  // NERFPIPE_HIGHWAY_KERNELS

std::string WhyNotFused(const NgpOptions&, torch::Device) {
  return "This nerfpipe was built without Highway, which the fast kernels of "
         "ngp need; plain LibTorch does the work, many times slower.";
}

std::unique_ptr<NgpBackend> MakeNgpFused(const NgpRun&, NgpState*) {
  NERFPIPE_CHECK(false);
}

#endif  // NERFPIPE_HIGHWAY_KERNELS

}  // namespace nerfpipe::nerf
