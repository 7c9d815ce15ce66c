#include "stages/nerf/ngp_method.h"

#include "pipeline/base/error.h"
#include "stages/nerf/archive.h"
#include "stages/nerf/ngp_fused.h"
#include "stages/nerf/ngp_plain.h"
#include "stages/nerf/ngp_settings.h"
#include "stages/nerf/option_rules.h"
#include "stages/nerf/seeds.h"

#include <algorithm>
#include <cmath>

namespace nerfpipe::nerf {
namespace {

constexpr double kTableInit = 1e-4;
// Share of a run after which lines of sight to sparse points may be filled: by
// then surfaces explain most of the pictures. See docs/PERFORMANCE.md.
constexpr double kFreeUntil = 0.3;
constexpr int64_t kFirstRays = 128;
constexpr int64_t kFewestRays = 16;

uint64_t Seed(const MethodContext& context) {
  return static_cast<uint64_t>(context.options.train.seed);
}

NgpRun RunOf(const MethodContext& context) {
  NgpRun run;
  run.options = Checked(context.options.ngp);
  run.bounded = context.frame.bounded;
  run.march = MarchRulesOf(run.options, run.bounded);
  run.seed = Seed(context);
  run.background = context.background;
  run.device = context.device;
  run.threads = torch::get_num_threads();
  NERFPIPE_CHECK(run.options.log2_table > 0 &&
                 run.options.finest_resolution > 0 && run.march.step > 0 &&
                 run.options.stop_transmittance > 0 &&
                 run.options.grid_threshold > 0);
  return run;
}

NgpState StateOf(const NgpRun& run) {
  const NgpOptions& options = run.options;
  NgpState state = {HashLevels(options.levels,
                               options.base_resolution,
                               options.finest_resolution,
                               options.log2_table),
                    {},
                    {},
                    nullptr,
                    nullptr,
                    OccupancyGrid(options, run.bounded, run.seed)};
  torch::Generator generator = GeneratorOf(run.seed, Purpose::kParameters);
  torch::Tensor table =
      torch::empty({HashRows(state.levels), options.features});
  table.uniform_(-kTableInit, kTableInit, generator);
  state.table = table.to(run.device).requires_grad_(true);
  state.table_second =
      torch::zeros({table.size(0)}, state.table.detach().options());
  NgpNets::Shape shape;
  shape.input = options.levels * options.features;
  shape.hidden = options.hidden;
  shape.geometry = options.geometry;
  state.nets = std::make_unique<NgpNets>(shape, run.device, generator);
  state.adam = std::make_unique<Adam>(
      state.nets->Parameters(),
      AdamSettings{
          options.beta1, options.beta2, options.epsilon, options.weight_decay});
  return state;
}

}  // namespace

NgpMethod::NgpMethod(const MethodContext& context)
    : RayMethod(context, {.seed = Seed(context), .skip_void = true}),
      run_(RunOf(context)),
      state_(StateOf(run_)),
      rays_per_step_(std::min<int64_t>(kFirstRays, run_.options.max_rays)) {
  if (context.dataset != nullptr) {
    const Dataset& dataset = *context.dataset;
    state_.grid.MarkEmpty(dataset.train, context.frame);
    if (run_.options.free_space > 0 && dataset.sights.defined()) {
      state_.grid.CloseFree(dataset.sights, context.frame);
    }
  }
  if (run_.options.fused) remark_ = WhyNotFused(run_.options, run_.device);
  backend_ = run_.options.fused && remark_.empty()
                 ? MakeNgpFused(run_, &state_)
                 : MakeNgpPlain(run_, &state_);
}

std::vector<std::pair<std::string, torch::Tensor>> NgpMethod::Parameters() {
  NamedTensors parameters = {{"table", state_.table}};
  for (auto& named : state_.nets->Parameters()) {
    parameters.push_back(named);
  }
  return parameters;
}

double NgpMethod::LearningRate(const Schedule& schedule) const {
  const NgpOptions& options = run_.options;
  const double rate = schedule.warm_up * options.learning_rate;
  if (schedule.done <= options.constant_part) {
    return rate;
  }
  const double part = std::min(
      1.0,
      (schedule.done - options.constant_part) / (1 - options.constant_part));
  return rate * std::pow(options.final_rate, part);
}

Rays NgpMethod::Reaching(const Rays& rays) const {
  if (run_.bounded) return rays;
  Rays far = rays;
  far.far = rays.far.clamp_min(run_.options.far);
  return far;
}

StepReport NgpMethod::Step(const RayBatch& batch,
                           int64_t step,
                           const Schedule& schedule) {
  // At once, not when the grid is looked at next: a run that is resumed in
  // between knows the cells alone.
  if (schedule.done >= kFreeUntil && state_.grid.OpenFree()) {
    backend_->GridChanged();
  }
  const double learning_rate = LearningRate(schedule);
  StepReport report =
      backend_->Step({Reaching(batch.rays), batch.rgba}, step, learning_rate);
  report.learning_rate = learning_rate;
  AdaptRays(batch.rays.size(), report.samples);
  return report;
}

// More or fewer rays next time, for the wanted number of samples.
void NgpMethod::AdaptRays(int64_t rays, int64_t samples) {
  const double factor =
      std::clamp(static_cast<double>(run_.options.batch_samples) /
                     static_cast<double>(std::max<int64_t>(1, samples)),
                 0.5,
                 1.5);
  rays_per_step_ =
      std::clamp<int64_t>(std::llround(static_cast<double>(rays) * factor),
                          kFewestRays,
                          run_.options.max_rays);
}

Rendered NgpMethod::Render(const Rays& rays) const {
  return backend_->Render(Reaching(rays));
}

void NgpMethod::Save(torch::serialize::OutputArchive& archive) {
  for (const auto& [name, parameter] : Parameters()) {
    Write(archive, name, parameter);
  }
  Write(archive, "table.second", state_.table_second);
  Write(archive, "grid", state_.grid.values());
  Write(archive, "grid.fine", backend_->FineGrid());
  Write(archive, "rays_per_step", torch::tensor(rays_per_step_));
  state_.adam->Save(archive);
}

void NgpMethod::Load(torch::serialize::InputArchive& archive) {
  for (const auto& [name, parameter] : Parameters()) {
    ReadInto(archive, name, parameter);
  }
  ReadInto(archive, "table.second", state_.table_second);
  torch::Tensor values = torch::empty_like(state_.grid.values());
  ReadInto(archive, "grid", values);
  state_.grid.SetValues(values);
  torch::Tensor fine_grid = torch::empty({kFineGridWords}, torch::kInt32);
  ReadInto(archive, "grid.fine", fine_grid);
  rays_per_step_ = ReadInteger(archive, "rays_per_step");
  state_.adam->Load(archive);
  backend_->StateChanged(fine_grid);
}

}  // namespace nerfpipe::nerf
