#pragma once

// What methods made of rays have in common: batches of random pixels to learn
// from, and pictures a strip of rays at a time.

#include "stages/nerf/method.h"
#include "stages/nerf/ray_sampler.h"
#include "stages/nerf/rays.h"
#include "stages/nerf/tensors.h"

#include <memory>

namespace nerfpipe::nerf {

// Colours are composited over the background already.
struct Rendered {
  torch::Tensor rgb;      // N x 3
  torch::Tensor depth;    // N, expected depth in scene-frame units
  torch::Tensor opacity;  // N, 0 to 1
};

class RayMethod : public Method {
 public:
  using Method::Step;

  virtual RayRules Rules() const = 0;
  // Rays wanted in the next batch.
  virtual int64_t RaysPerStep() const = 0;
  // On these rays instead of ones from the data set.
  virtual StepReport Step(const RayBatch& batch,
                          int64_t step,
                          const Schedule& schedule) = 0;
  // Without gradient, deterministic, any number of rays.
  virtual Rendered Render(const Rays& rays) const = 0;

  StepReport Step(int64_t step, const Schedule& schedule) final;
  RenderedView RenderView(const Camera& camera,
                          const Cancelled& cancelled = {}) const final;

 protected:
  // Keeps the images of the data set, if there is one. Throws UserError for
  // those that do not fit their cameras.
  RayMethod(const MethodContext& context, const SamplerOptions& options);

  const MethodContext& context() const { return context_; }

 private:
  MethodContext context_;
  std::unique_ptr<RaySampler> sampler_;
};

}  // namespace nerfpipe::nerf
