#include "stages/nerf/nerf_method.h"

#include "pipeline/base/blas_threads.h"
#include "pipeline/base/error.h"
#include "stages/nerf/archive.h"
#include "stages/nerf/encoding.h"
#include "stages/nerf/sampling.h"
#include "stages/nerf/seeds.h"

#include <algorithm>
#include <cmath>

#include <ATen/Parallel.h>
#include <torch/autograd.h>

namespace nerfpipe::nerf {
namespace {

// On a CPU every thread takes some rays forth and back at a time, few enough
// for the caches: matrix products with all rows at once wait for memory, and
// for each other's threads between operations. Gradients are summed in groups,
// whose number does not depend on that of the threads.
constexpr int64_t kRaysAtOnceOnCpu = 32;
constexpr int64_t kGroupsOnCpu = 16;

// It has no occupancy grid to carve, and must learn the void.
SamplerOptions PixelsFor(const MethodContext& context) {
  const NerfOptions& options = context.options.nerf;
  SamplerOptions pixels;
  pixels.seed = static_cast<uint64_t>(context.options.train.seed);
  pixels.one_image = options.no_batching;
  pixels.precrop_steps = options.precrop_iters;
  pixels.precrop_fraction = options.precrop_frac;
  return pixels;
}

int Encoded(int bands) { return 3 * (1 + 2 * bands); }

// Bands of the frequency encoding; i_embed -1 leaves only the input itself.
int Bands(const NerfOptions& options, int bands) {
  return options.i_embed < 0 ? 0 : bands;
}

}  // namespace

NerfMethod::NerfMethod(const MethodContext& context)
    : RayMethod(context, PixelsFor(context)), options_(context.options.nerf) {
  torch::Generator generator = GeneratorOf(
      static_cast<uint64_t>(context.options.train.seed), Purpose::kParameters);
  NerfNet::Shape shape;
  shape.depth = options_.netdepth;
  shape.width = options_.netwidth;
  shape.input = Encoded(Bands(options_, options_.multires));
  shape.input_views = options_.use_viewdirs
                          ? Encoded(Bands(options_, options_.multires_views))
                          : 0;
  coarse_ = std::make_unique<NerfNet>(shape, context.device, generator);
  if (options_.N_importance > 0) {
    shape.depth = options_.netdepth_fine;
    shape.width = options_.netwidth_fine;
    fine_ = std::make_unique<NerfNet>(shape, context.device, generator);
  }
  adam_ = std::make_unique<Adam>(Parameters(), AdamSettings{});
  if (context.device.is_cpu()) UseOneBlasThread();
}

std::vector<std::pair<std::string, torch::Tensor>> NerfMethod::Parameters() {
  NamedTensors parameters = coarse_->Parameters("coarse");
  if (fine_) {
    for (auto& named : fine_->Parameters("fine")) {
      parameters.push_back(named);
    }
  }
  return parameters;
}

RayRules NerfMethod::Rules() const {
  RayRules rules;
  rules.ndc = context().frame.ndc && !options_.no_ndc;
  rules.integer_pixels = options_.integer_pixels;
  return rules;
}

std::array<double, 3> NerfMethod::Background() const {
  if (context().has_alpha) {
    return context().background;
  }
  const double level = options_.white_bkgd ? 1 : 0;
  return {level, level, level};
}

// N x S x 4: the network at the samples of all rays.
torch::Tensor NerfMethod::Query(const NerfNet& net,
                                const Rays& rays,
                                const torch::Tensor& depths) const {
  const int64_t samples = depths.size(1);
  const torch::Tensor positions =
      (rays.origins.unsqueeze(1) +
       rays.directions.unsqueeze(1) * depths.unsqueeze(2))
          .view({-1, 3});
  torch::Tensor views;
  if (options_.use_viewdirs) {
    views = FrequencyEncode(rays.view_directions,
                            Bands(options_, options_.multires_views))
                .unsqueeze(1)
                .expand({-1, samples, -1})
                .reshape({positions.size(0), -1});
  }
  std::vector<torch::Tensor> parts;
  const int64_t count = positions.size(0);
  for (int64_t begin = 0; begin < count; begin += options_.netchunk) {
    const int64_t end = std::min<int64_t>(count, begin + options_.netchunk);
    parts.push_back(
        net.Forward(FrequencyEncode(positions.slice(0, begin, end),
                                    Bands(options_, options_.multires)),
                    views.defined() ? views.slice(0, begin, end) : views));
  }
  return torch::cat(parts).view({depths.size(0), samples, 4});
}

Composited NerfMethod::Level(const NerfNet& net,
                             const Rays& rays,
                             const torch::Tensor& depths,
                             const torch::Tensor& noise) const {
  return CompositeSamples(
      Query(net, rays, depths), depths, rays.directions, noise);
}

NerfMethod::Draws NerfMethod::Draws::Slice(int64_t begin, int64_t end) const {
  const auto slice = [&](const torch::Tensor& all) {
    return all.defined() ? all.slice(0, begin, end) : all;
  };
  return {slice(coarse_places),
          slice(fine_places),
          slice(coarse_noise),
          slice(fine_noise)};
}

NerfMethod::Draws NerfMethod::Draw(int64_t rays, int64_t step) const {
  const auto seed = static_cast<uint64_t>(context().options.train.seed);
  const int64_t coarse = options_.N_samples;
  const int64_t more = fine_ ? options_.N_importance : 0;
  Draws draws;
  if (options_.perturb > 0) {
    torch::Generator places = GeneratorOf(seed, Purpose::kSamples, step);
    draws.coarse_places = torch::rand({rays, coarse}, places);
    draws.fine_places = torch::rand({rays, more}, places);
  }
  if (options_.raw_noise_std > 0) {
    torch::Generator noise = GeneratorOf(seed, Purpose::kNoise, step);
    const double deviation = options_.raw_noise_std;
    draws.coarse_noise = torch::randn({rays, coarse}, noise) * deviation;
    draws.fine_noise = torch::randn({rays, coarse + more}, noise) * deviation;
  }
  for (torch::Tensor* numbers : {&draws.coarse_places,
                                 &draws.fine_places,
                                 &draws.coarse_noise,
                                 &draws.fine_noise}) {
    if (numbers->defined()) *numbers = numbers->to(context().device);
  }
  return draws;
}

NerfMethod::Levels NerfMethod::Trace(const Rays& rays,
                                     const Draws& draws) const {
  const bool ndc = Rules().ndc;
  const bool lindisp = !ndc && (options_.lindisp || context().frame.lindisp);
  const torch::Tensor depths = StratifiedDepths(
      rays.near, rays.far, options_.N_samples, lindisp, draws.coarse_places);

  Levels levels;
  levels.coarse = Level(*coarse_, rays, depths, draws.coarse_noise);
  levels.fine = levels.coarse;
  if (fine_) {
    const torch::Tensor middles =
        0.5 * (depths.slice(1, 1) + depths.slice(1, 0, -1));
    const torch::Tensor u =
        draws.fine_places.defined()
            ? draws.fine_places
            : torch::linspace(0, 1, options_.N_importance, depths.options())
                  .expand({rays.size(), options_.N_importance});
    const torch::Tensor more =
        SamplePdf(middles, levels.coarse.weights.detach().slice(1, 1, -1), u);
    const torch::Tensor all =
        std::get<0>(torch::sort(torch::cat({depths, more}, 1), 1));
    levels.fine = Level(*fine_, rays, all, draws.fine_noise);
  }
  return levels;
}

torch::Tensor NerfMethod::OverBackground(const Composited& composited) const {
  const auto colour = Background();
  const torch::Tensor background =
      torch::tensor({colour[0], colour[1], colour[2]},
                    composited.rgb.options().requires_grad(false));
  return composited.rgb + (1 - composited.opacity).unsqueeze(1) * background;
}

std::array<double, 2> NerfMethod::Differentiate(
    const RayBatch& batch,
    const Draws& draws,
    int64_t of,
    std::vector<torch::Tensor>* gradients) {
  const auto colour = Background();
  const torch::Tensor background =
      torch::tensor({colour[0], colour[1], colour[2]}, batch.rgba.options());
  const torch::Tensor alpha = batch.rgba.slice(1, 3);
  const torch::Tensor truth =
      batch.rgba.slice(1, 0, 3) * alpha + background * (1 - alpha);
  const double part =
      static_cast<double>(batch.rays.size()) / static_cast<double>(of);
  const Levels levels = Trace(batch.rays, draws);
  const torch::Tensor fine =
      torch::mse_loss(OverBackground(levels.fine), truth) * part;
  const torch::Tensor coarse =
      fine_ ? torch::mse_loss(OverBackground(levels.coarse), truth) * part
            : torch::zeros_like(fine);
  std::vector<torch::Tensor> parameters;
  for (const auto& [name, parameter] : Parameters()) {
    parameters.push_back(parameter);
  }
  const std::vector<torch::Tensor> found =
      torch::autograd::grad({fine + coarse}, parameters);
  if (gradients->empty()) {
    *gradients = found;
  } else {
    for (size_t i = 0; i < found.size(); ++i) (*gradients)[i].add_(found[i]);
  }
  return {coarse.item<double>(), fine.item<double>()};
}

StepReport NerfMethod::Step(const RayBatch& batch,
                            int64_t step,
                            const Schedule& schedule) {
  const int64_t count = batch.rays.size();
  const Draws draws = Draw(count, step);
  const bool cpu = context().device.is_cpu();
  const int64_t at_once = cpu ? kRaysAtOnceOnCpu : count;
  const int64_t groups =
      cpu ? std::min(kGroupsOnCpu, (count + at_once - 1) / at_once) : 1;
  std::vector<std::vector<torch::Tensor>> gradients(groups);
  std::vector<std::array<double, 2>> errors(groups);
  at::parallel_for(0, groups, 1, [&](int64_t first, int64_t last) {
    for (int64_t group = first; group < last; ++group) {
      const int64_t stop = count * (group + 1) / groups;
      for (int64_t begin = count * group / groups; begin < stop;
           begin += at_once) {
        const int64_t end = std::min(stop, begin + at_once);
        const std::array<double, 2> found = Differentiate(
            {batch.rays.Slice(begin, end), batch.rgba.slice(0, begin, end)},
            draws.Slice(begin, end),
            count,
            &gradients[group]);
        errors[group][0] += found[0];
        errors[group][1] += found[1];
      }
    }
  });
  const NamedTensors parameters = Parameters();
  double coarse_error = 0;
  double fine_error = 0;
  for (int64_t group = 0; group < groups; ++group) {
    coarse_error += errors[group][0];
    fine_error += errors[group][1];
    for (size_t i = 0; i < parameters.size(); ++i) {
      torch::Tensor& sum = parameters[i].second.mutable_grad();
      sum = group == 0 ? gradients[0][i] : sum.add_(gradients[group][i]);
    }
  }

  StepReport report;
  report.learning_rate =
      schedule.warm_up * options_.lrate *
      std::pow(0.1,
               static_cast<double>(step) / (1000.0 * options_.lrate_decay));
  adam_->Step(report.learning_rate);
  report.loss = coarse_error + fine_error;
  report.psnr = -10 * std::log10(fine_error + 1e-12);
  report.samples = batch.rays.size() *
                   (options_.N_samples +
                    (fine_ ? options_.N_samples + options_.N_importance : 0));
  return report;
}

Rendered NerfMethod::Render(const Rays& rays) const {
  const int64_t count = rays.size();
  const int64_t at_once =
      context().device.is_cpu()
          ? std::min<int64_t>(kRaysAtOnceOnCpu, options_.chunk)
          : options_.chunk;
  const int64_t parts = (count + at_once - 1) / at_once;
  std::vector<torch::Tensor> rgb(parts), depth(parts), opacity(parts);
  at::parallel_for(0, parts, 1, [&](int64_t first, int64_t last) {
    const torch::NoGradGuard no_grad;
    for (int64_t part = first; part < last; ++part) {
      const int64_t begin = part * at_once;
      const Composited fine =
          Trace(rays.Slice(begin, std::min(count, begin + at_once)), {}).fine;
      rgb[part] = OverBackground(fine);
      opacity[part] = fine.opacity;
      depth[part] = fine.depth / fine.opacity.clamp_min(1e-6);
    }
  });
  return {torch::cat(rgb), torch::cat(depth), torch::cat(opacity)};
}

void NerfMethod::Save(torch::serialize::OutputArchive& archive) {
  for (const auto& [name, parameter] : Parameters()) {
    Write(archive, name, parameter);
  }
  adam_->Save(archive);
}

void NerfMethod::Load(torch::serialize::InputArchive& archive) {
  for (const auto& [name, parameter] : Parameters()) {
    ReadInto(archive, name, parameter);
  }
  adam_->Load(archive);
}

}  // namespace nerfpipe::nerf
