#include "stages/nerf/ray_method.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <vector>

namespace nerfpipe::nerf {
namespace {

// Rendered at once: enough for all threads, and some ten megabytes.
constexpr int64_t kRaysInStrip = 1 << 16;

}  // namespace

RayMethod::RayMethod(const MethodContext& context,
                     const SamplerOptions& options)
    : context_(context) {
  if (context.dataset != nullptr) {
    sampler_ = std::make_unique<RaySampler>(
        *context.dataset, context.frame, options, context.device);
  }
}

StepReport RayMethod::Step(int64_t step, const Schedule& schedule) {
  NERFPIPE_CHECK(sampler_ != nullptr);
  const RayBatch batch = sampler_->Draw(RaysPerStep(), step, Rules());
  StepReport report = Step(batch, step, schedule);
  report.pixels = batch.rays.size();
  return report;
}

RenderedView RayMethod::RenderView(const Camera& camera,
                                   const Cancelled& cancelled) const {
  const torch::NoGradGuard no_grad;
  const SceneFrame& frame = context_.frame;
  const CameraTable table({camera}, frame, context_.device);
  const RayRules rules = Rules();
  RayRules plain = rules;
  plain.ndc = false;
  const int64_t width = camera.width;
  const int64_t height = camera.height;
  RenderedView view;
  view.rgb = torch::empty({height, width, 3});
  view.depth = torch::empty({height, width});
  view.opacity = torch::empty({height, width});
  const int64_t rows = std::max<int64_t>(1, kRaysInStrip / width);
  for (int64_t top = 0; top < height; top += rows) {
    if (cancelled && cancelled()) return {};
    const int64_t bottom = std::min(height, top + rows);
    const Rendered part = Render(table.ThroughRows(0, top, bottom, rules));
    torch::Tensor depth = part.depth;
    if (rules.ndc && frame.ndc) {
      depth = DepthFromNdc(table.ThroughRows(0, top, bottom, plain), depth);
    }
    const auto put = [&](torch::Tensor& whole, const torch::Tensor& strip) {
      torch::Tensor place = whole.slice(0, top, bottom);
      place.copy_(strip.view(place.sizes()));
    };
    put(view.rgb, part.rgb);
    put(view.depth, depth / frame.scale);
    put(view.opacity, part.opacity);
  }
  return view;
}

}  // namespace nerfpipe::nerf
