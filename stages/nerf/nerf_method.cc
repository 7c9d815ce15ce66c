#include "stages/nerf/nerf_method.h"

#include "pipeline/base/error.h"
#include "stages/nerf/archive.h"
#include "stages/nerf/encoding.h"
#include "stages/nerf/sampling.h"
#include "stages/nerf/seeds.h"

#include <algorithm>
#include <cmath>

namespace nerfpipe::nerf {
namespace {

int Encoded(int bands) { return 3 * (1 + 2 * bands); }

// Bands of the frequency encoding; i_embed -1 leaves only the input itself.
int Bands(const NerfOptions& options, int bands) {
  return options.i_embed < 0 ? 0 : bands;
}

}  // namespace

NerfMethod::NerfMethod(const MethodContext& context)
    : context_(context), options_(context.options.nerf) {
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
  rules.ndc = context_.frame.ndc && !options_.no_ndc;
  rules.integer_pixels = options_.integer_pixels;
  return rules;
}

std::array<double, 3> NerfMethod::Background() const {
  if (context_.has_alpha) {
    return context_.background;
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
                             const Draws& draws) const {
  torch::Tensor noise;
  if (draws.noise != nullptr && options_.raw_noise_std > 0) {
    noise = torch::randn(depths.sizes(), *draws.noise).to(depths.device()) *
            options_.raw_noise_std;
  }
  return CompositeSamples(
      Query(net, rays, depths), depths, rays.directions, noise);
}

NerfMethod::Levels NerfMethod::Trace(const Rays& rays,
                                     const Draws& draws) const {
  const bool ndc = Rules().ndc;
  const bool lindisp = !ndc && (options_.lindisp || context_.frame.lindisp);
  const bool perturb = draws.places != nullptr && options_.perturb > 0;
  const int64_t count = rays.size();
  const auto uniforms = [&](int64_t samples) {
    return torch::rand({count, samples}, *draws.places)
        .to(rays.origins.device());
  };
  const torch::Tensor depths = StratifiedDepths(
      rays.near,
      rays.far,
      options_.N_samples,
      lindisp,
      perturb ? uniforms(options_.N_samples) : torch::Tensor());

  Levels levels;
  levels.coarse = Level(*coarse_, rays, depths, draws);
  levels.fine = levels.coarse;
  if (fine_) {
    const torch::Tensor middles =
        0.5 * (depths.slice(1, 1) + depths.slice(1, 0, -1));
    const torch::Tensor u =
        perturb ? uniforms(options_.N_importance)
                : torch::linspace(0, 1, options_.N_importance, depths.options())
                      .expand({count, options_.N_importance});
    const torch::Tensor more =
        SamplePdf(middles, levels.coarse.weights.detach().slice(1, 1, -1), u);
    const torch::Tensor all =
        std::get<0>(torch::sort(torch::cat({depths, more}, 1), 1));
    levels.fine = Level(*fine_, rays, all, draws);
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

StepReport NerfMethod::Step(const RayBatch& batch,
                            int64_t step,
                            const Schedule& schedule) {
  const auto seed = static_cast<uint64_t>(context_.options.train.seed);
  torch::Generator places = GeneratorOf(seed, Purpose::kSamples, step);
  torch::Generator noise = GeneratorOf(seed, Purpose::kNoise, step);
  const Levels levels = Trace(batch.rays, {&places, &noise});

  const auto colour = Background();
  const torch::Tensor background =
      torch::tensor({colour[0], colour[1], colour[2]}, batch.rgba.options());
  const torch::Tensor alpha = batch.rgba.slice(1, 3);
  const torch::Tensor truth =
      batch.rgba.slice(1, 0, 3) * alpha + background * (1 - alpha);
  const torch::Tensor fine_error =
      torch::mse_loss(OverBackground(levels.fine), truth);
  torch::Tensor loss = fine_error;
  if (fine_) {
    loss = loss + torch::mse_loss(OverBackground(levels.coarse), truth);
  }
  loss.backward();

  StepReport report;
  report.learning_rate =
      schedule.warm_up * options_.lrate *
      std::pow(0.1,
               static_cast<double>(step) / (1000.0 * options_.lrate_decay));
  adam_->Step(report.learning_rate);
  report.loss = loss.item<double>();
  report.psnr = -10 * std::log10(fine_error.item<double>() + 1e-12);
  report.samples = batch.rays.size() *
                   (options_.N_samples +
                    (fine_ ? options_.N_samples + options_.N_importance : 0));
  return report;
}

Rendered NerfMethod::Render(const Rays& rays) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> rgb, depth, opacity;
  for (int64_t begin = 0; begin < rays.size(); begin += options_.chunk) {
    const Composited fine =
        Trace(
            rays.Slice(begin,
                       std::min<int64_t>(rays.size(), begin + options_.chunk)),
            {})
            .fine;
    rgb.push_back(OverBackground(fine));
    opacity.push_back(fine.opacity);
    depth.push_back(fine.depth / fine.opacity.clamp_min(1e-6));
  }
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
