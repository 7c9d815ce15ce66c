#pragma once

// Method `nerf`: coarse and fine network of Mildenhall et al. 2020, as
// nerf-pytorch has it.

#include "stages/nerf/adam.h"
#include "stages/nerf/compositing.h"
#include "stages/nerf/fields.h"
#include "stages/nerf/ray_method.h"
#include "stages/nerf/tensors.h"

#include <memory>
#include <string>
#include <vector>

namespace nerfpipe::nerf {

class NerfMethod : public RayMethod {
 public:
  explicit NerfMethod(const MethodContext& context);

  std::string Name() const override { return "nerf"; }
  std::vector<std::pair<std::string, torch::Tensor>> Parameters() override;
  RayRules Rules() const override;
  int64_t RaysPerStep() const override { return options_.N_rand; }
  std::array<double, 3> Background() const override;
  // The rate decays with the steps, as nerf-pytorch's does.
  using RayMethod::Step;
  StepReport Step(const RayBatch& batch,
                  int64_t step,
                  const Schedule& schedule) override;
  Rendered Render(const Rays& rays) const override;
  void Save(torch::serialize::OutputArchive& archive) override;
  void Load(torch::serialize::InputArchive& archive) override;

 private:
  // Random numbers for some rays; undefined where nothing is left to chance.
  struct Draws {
    torch::Tensor coarse_places, fine_places;  // R x N_samples, N_importance
    torch::Tensor coarse_noise, fine_noise;    // R x the samples of the level

    Draws Slice(int64_t begin, int64_t end) const;
  };
  struct Levels {
    Composited coarse;
    Composited fine;  // the coarse one again when there is no fine network
  };

  Draws Draw(int64_t rays, int64_t step) const;
  torch::Tensor Query(const NerfNet& net,
                      const Rays& rays,
                      const torch::Tensor& depths) const;
  Composited Level(const NerfNet& net,
                   const Rays& rays,
                   const torch::Tensor& depths,
                   const torch::Tensor& noise) const;
  // The squared errors of the coarse and the fine picture of some rays, as
  // parts of the mean over `of` rays; adds their gradients to `gradients`.
  std::array<double, 2> Differentiate(const RayBatch& batch,
                                      const Draws& draws,
                                      int64_t of,
                                      std::vector<torch::Tensor>* gradients);
  Levels Trace(const Rays& rays, const Draws& draws) const;
  torch::Tensor OverBackground(const Composited& composited) const;

  NerfOptions options_;
  std::unique_ptr<NerfNet> coarse_;
  std::unique_ptr<NerfNet> fine_;  // null when N_importance is 0
  std::unique_ptr<Adam> adam_;
};

}  // namespace nerfpipe::nerf
