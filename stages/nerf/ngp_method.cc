#include "stages/nerf/ngp_method.h"

#include "pipeline/base/error.h"
#include "stages/nerf/archive.h"
#include "stages/nerf/encoding.h"
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
constexpr double kHuberDelta = 0.1;
constexpr int64_t kFirstRays = 128;
constexpr int64_t kFewestRays = 16;
constexpr int64_t kRenderChunk = 4096;

uint64_t Seed(const MethodContext& context) {
  return static_cast<uint64_t>(context.options.train.seed);
}

}  // namespace

NgpMethod::NgpMethod(const MethodContext& context)
    : RayMethod(context, {.seed = Seed(context), .skip_void = true}),
      options_(Checked(context.options.ngp)),
      march_(MarchRulesOf(options_, context.frame.bounded)),
      huber_(options_.loss == "huber"),
      grid_(options_, context.frame.bounded, Seed(context)) {
  NERFPIPE_CHECK(options_.log2_table > 0 && options_.stop_transmittance > 0 &&
                 options_.grid_threshold > 0);
  int finest = options_.finest_resolution;
  if (finest == 0) {
    finest =
        std::max(options_.base_resolution, context.frame.bounded ? 1024 : 2048);
  }
  levels_ = HashLevels(
      options_.levels, options_.base_resolution, finest, options_.log2_table);

  torch::Generator generator = GeneratorOf(Seed(context), Purpose::kParameters);
  table_ = torch::empty({HashRows(levels_), options_.features});
  table_.uniform_(-kTableInit, kTableInit, generator);
  table_ = table_.to(context.device).requires_grad_(true);
  const torch::Tensor values = table_.detach();
  table_gradient_ = torch::zeros_like(values);
  table_second_ = torch::zeros({values.size(0)}, values.options());
  touched_ =
      torch::zeros({values.size(0)}, values.options().dtype(torch::kUInt8));

  NgpNets::Shape shape;
  shape.input = options_.levels * options_.features;
  shape.hidden = options_.hidden;
  shape.geometry = options_.geometry;
  nets_ = std::make_unique<NgpNets>(shape, context.device, generator);
  adam_ = std::make_unique<Adam>(nets_->Parameters(),
                                 AdamSettings{options_.beta1,
                                              options_.beta2,
                                              options_.epsilon,
                                              options_.weight_decay});
  rays_per_step_ = std::min<int64_t>(kFirstRays, options_.max_rays);
  if (context.dataset != nullptr) {
    grid_.MarkEmpty(context.dataset->train, context.frame);
    if (options_.free_space > 0 && context.dataset->sights.defined()) {
      grid_.CloseFree(context.dataset->sights, context.frame);
    }
  }
  if (context.device.is_cpu() && options_.fused) {
    FusedRules rules;
    rules.bounded = context.frame.bounded;
    rules.finest_resolution = finest;
    rules.march = march_;
    rules.huber = huber_;
    rules.seed = Seed(context);
    rules.background = context.background;
    rules.threads = torch::get_num_threads();
    FusedState state;
    state.table = table_.detach();
    state.table_second = table_second_;
    for (const auto& [name, parameter] : nets_->Parameters()) {
      state.nets.push_back(parameter.detach());
    }
    state.nets_first = adam_->first();
    state.nets_second = adam_->second();
    state.grid = grid_.values();
    state.free = grid_.free_cells();
    fused_ = NgpFused::Make(options_, rules, state);
  }
}

std::vector<std::pair<std::string, torch::Tensor>> NgpMethod::Parameters() {
  NamedTensors parameters = {{"table", table_}};
  for (auto& named : nets_->Parameters()) {
    parameters.push_back(named);
  }
  return parameters;
}

double NgpMethod::LearningRate(const Schedule& schedule) const {
  const double rate = schedule.warm_up * options_.learning_rate;
  if (schedule.done <= options_.constant_part) {
    return rate;
  }
  const double part = std::min(
      1.0,
      (schedule.done - options_.constant_part) / (1 - options_.constant_part));
  return rate * std::pow(options_.final_rate, part);
}

Rays NgpMethod::Bounded(const Rays& rays) const {
  return context().frame.bounded ? ClipToBox(rays) : Reaching(rays);
}

Rays NgpMethod::Reaching(const Rays& rays) const {
  if (context().frame.bounded) return rays;
  Rays far = rays;
  far.far = rays.far.clamp_min(options_.far);
  return far;
}

torch::Tensor NgpMethod::Encode(const torch::Tensor& positions) const {
  const torch::NoGradGuard no_grad;
  return table_.device().is_cpu() ? HashGather(table_, positions, levels_)
                                  : HashEncodePlain(table_, positions, levels_);
}

torch::Tensor NgpMethod::Density(const torch::Tensor& positions) const {
  const torch::NoGradGuard no_grad;
  // In pieces: an update of the grid asks for many at once.
  std::vector<torch::Tensor> parts;
  for (const torch::Tensor& piece : positions.split(1 << 14)) {
    parts.push_back(DensityFromLog(nets_->LogDensity(Encode(piece))));
  }
  return torch::cat(parts);
}

NgpMethod::Prepared NgpMethod::Prepare(const Rays& rays,
                                       const torch::Tensor& jitter,
                                       const Roulette& roulette,
                                       double stop_transmittance) const {
  const torch::NoGradGuard no_grad;
  Prepared prepared;
  prepared.samples = grid_.March(Bounded(rays), jitter, march_);
  prepared.features = Encode(prepared.samples.positions);
  prepared.selection =
      SelectSamples(DensityFromLog(nets_->LogDensity(prepared.features)),
                    prepared.samples.deltas,
                    prepared.samples.offsets,
                    options_.min_weight,
                    stop_transmittance,
                    roulette);
  return prepared;
}

// `features` are those of the selected samples.
NgpMethod::Shaded NgpMethod::Shade(const Prepared& prepared,
                                   const torch::Tensor& features,
                                   const torch::Tensor& view_directions) const {
  const torch::Tensor rays =
      prepared.samples.rays.index_select(0, prepared.selection.index);
  const torch::Tensor direction =
      SphericalHarmonics4(view_directions).index_select(0, rays);
  const torch::Tensor geometry = nets_->Geometry(features);
  const torch::Tensor densities = DensityFromLog(geometry.select(1, 0));
  return {densities,
          CompositePacked(densities,
                          nets_->Colour(geometry, direction),
                          prepared.selection.segments)};
}

torch::Tensor NgpMethod::Loss(const torch::Tensor& rgb,
                              const torch::Tensor& truth) const {
  return huber_ ? torch::huber_loss(
                      rgb, truth, torch::Reduction::Mean, kHuberDelta)
                : torch::mse_loss(rgb, truth);
}

// In the mean over rays.
torch::Tensor NgpMethod::Distortion(const Prepared& prepared,
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
torch::Tensor NgpMethod::WeightInFree(const Prepared& prepared,
                                      const Shaded& shaded) const {
  const torch::Tensor free = grid_.Free(
      prepared.samples.positions.index_select(0, prepared.selection.index));
  const PackedSegments& segments = prepared.selection.segments;
  return LossOfWeights(
             shaded.densities, free.to(shaded.densities.options()), segments) /
         (segments.offsets.size(0) - 1);
}

StepReport NgpMethod::Step(const RayBatch& batch,
                           int64_t step,
                           const Schedule& schedule) {
  const double learning_rate = LearningRate(schedule);
  // In the kernels' copy at once, not when the grid is looked at next: a run
  // that is resumed in between knows the cells alone.
  if (schedule.done >= kFreeUntil && grid_.OpenFree() && fused_) {
    fused_->GridChanged();
  }
  if (fused_) {
    StepReport report =
        fused_->Step({Reaching(batch.rays), batch.rgba}, step, learning_rate);
    report.learning_rate = learning_rate;
    adam_->SetSteps(step + 1);
    AdaptRays(batch.rays.size(), report.samples);
    return report;
  }
  grid_.UpdateIfDue(
      step,
      march_,
      [this](const torch::Tensor& positions) { return Density(positions); },
      context().device);

  const int64_t count = batch.rays.size();
  torch::Generator places =
      GeneratorOf(Seed(context()), Purpose::kSamples, step);
  const torch::Tensor jitter = torch::rand({count}, places);
  const Prepared prepared =
      Prepare(batch.rays,
              jitter,
              {options_.roulette * learning_rate / options_.learning_rate,
               torch::rand({count}, places)},
              options_.stop_transmittance);
  const torch::Tensor positions =
      prepared.samples.positions.index_select(0, prepared.selection.index);
  const torch::Tensor features =
      table_.device().is_cpu()
          ? prepared.features.index_select(0, prepared.selection.index)
                .requires_grad_(true)
          : HashEncodePlain(table_, positions, levels_);
  const Shaded shaded = Shade(prepared, features, batch.rays.view_directions);
  const PackedComposite& composite = shaded.composite;

  torch::Generator colours =
      GeneratorOf(Seed(context()), Purpose::kBackground, step);
  const auto& colour = context().background;
  const torch::Tensor background =
      (options_.random_background
           ? torch::rand({count, 3}, colours)
           : torch::tensor({colour[0], colour[1], colour[2]}, torch::kFloat32)
                 .expand({count, 3}))
          .to(context().device);
  const torch::Tensor alpha = batch.rgba.slice(1, 3);
  const torch::Tensor truth =
      batch.rgba.slice(1, 0, 3) * alpha + background * (1 - alpha);
  const torch::Tensor rgb =
      composite.rgb + composite.transmittance.unsqueeze(1) * background;
  const torch::Tensor loss = Loss(rgb, truth);

  StepReport report;
  report.samples = positions.size(0);
  report.learning_rate = learning_rate;
  report.loss = loss.item<double>();
  report.psnr =
      -10 *
      std::log10(torch::mse_loss(rgb.detach(), truth).item<double>() + 1e-12);
  if (report.samples > 0) {
    torch::Tensor sum = loss;
    if (options_.distortion > 0) {
      sum =
          sum + options_.distortion * Distortion(prepared, shaded, batch.rays);
    }
    if (grid_.free_cells().defined()) {
      sum = sum + options_.free_space * WeightInFree(prepared, shaded);
    }
    sum.backward();
    Optimise(features, positions, report.learning_rate);
  }
  AdaptRays(count, report.samples);
  return report;
}

// More or fewer rays next time, for the wanted number of samples.
void NgpMethod::AdaptRays(int64_t rays, int64_t samples) {
  const double factor =
      std::clamp(static_cast<double>(options_.batch_samples) /
                     static_cast<double>(std::max<int64_t>(1, samples)),
                 0.5,
                 1.5);
  rays_per_step_ =
      std::clamp<int64_t>(std::llround(static_cast<double>(rays) * factor),
                          kFewestRays,
                          options_.max_rays);
}

void NgpMethod::Optimise(const torch::Tensor& features,
                         const torch::Tensor& positions,
                         double learning_rate) {
  const torch::NoGradGuard no_grad;
  if (table_.device().is_cpu()) {
    HashScatter(features.grad().contiguous(),
                positions,
                levels_,
                table_gradient_,
                touched_);
  } else {
    table_gradient_ = table_.grad();
    touched_ = (table_gradient_ != 0).any(1).to(torch::kUInt8);
    table_.mutable_grad() = torch::Tensor();
  }
  AdamRows(table_.detach(),
           table_gradient_,
           table_second_,
           touched_,
           learning_rate,
           AdamSettings{0, options_.table_beta2, options_.epsilon, 0});
  adam_->Step(learning_rate);
}

Rendered NgpMethod::RenderChunk(const Rays& rays) const {
  const torch::NoGradGuard no_grad;
  const torch::Tensor half = torch::full({rays.size()}, 0.5);
  const Prepared prepared =
      Prepare(rays, half, {kRenderRoulette, half}, kRenderStop);
  const torch::Tensor& index = prepared.selection.index;
  const PackedComposite composite =
      Shade(prepared,
            prepared.features.index_select(0, index),
            rays.view_directions)
          .composite;
  const auto& colour = context().background;
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

Rendered NgpMethod::Render(const Rays& rays) const {
  if (fused_) {
    return fused_->Render(Reaching(rays));
  }
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

void NgpMethod::Save(torch::serialize::OutputArchive& archive) {
  for (const auto& [name, parameter] : Parameters()) {
    Write(archive, name, parameter);
  }
  Write(archive, "table.second", table_second_);
  Write(archive, "grid", grid_.values());
  Write(archive,
        "grid.fine",
        fused_ ? fused_->FineGrid()
               : torch::zeros({kFineGridWords}, torch::kInt32));
  Write(archive, "rays_per_step", torch::tensor(rays_per_step_));
  adam_->Save(archive);
}

void NgpMethod::Load(torch::serialize::InputArchive& archive) {
  for (const auto& [name, parameter] : Parameters()) {
    ReadInto(archive, name, parameter);
  }
  ReadInto(archive, "table.second", table_second_);
  torch::Tensor values = torch::empty_like(grid_.values());
  ReadInto(archive, "grid", values);
  grid_.SetValues(values);
  torch::Tensor fine_grid = torch::empty({kFineGridWords}, torch::kInt32);
  ReadInto(archive, "grid.fine", fine_grid);
  rays_per_step_ = ReadInteger(archive, "rays_per_step");
  adam_->Load(archive);
  if (fused_) {
    fused_->Reload(fine_grid);
  }
}

}  // namespace nerfpipe::nerf
