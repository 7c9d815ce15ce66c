#pragma once

// Method `ngp`: hash grid, two small nets, occupancy grid (Mueller et al.
// 2022), arranged for a CPU: small batches, and no training of samples that
// hardly show.

#include "stages/nerf/adam.h"
#include "stages/nerf/compositing.h"
#include "stages/nerf/fields.h"
#include "stages/nerf/hash_grid.h"
#include "stages/nerf/ngp_fused.h"
#include "stages/nerf/occupancy_grid.h"
#include "stages/nerf/ray_method.h"

#include <memory>
#include <string>
#include <vector>

#include <torch/torch.h>

namespace nerfpipe::nerf {

class NgpMethod : public RayMethod {
 public:
  explicit NgpMethod(const MethodContext& context);

  std::string Name() const override { return "ngp"; }
  std::vector<std::pair<std::string, torch::Tensor>> Parameters() override;
  RayRules Rules() const override { return {}; }
  int64_t RaysPerStep() const override { return rays_per_step_; }
  std::array<double, 3> Background() const override {
    return context().background;
  }
  using RayMethod::Step;
  StepReport Step(const RayBatch& batch,
                  int64_t step,
                  const Schedule& schedule) override;
  Rendered Render(const Rays& rays) const override;
  void Save(torch::serialize::OutputArchive& archive) override;
  void Load(torch::serialize::InputArchive& archive) override;

  const OccupancyGrid& grid() const { return grid_; }

  // Constant at first, then falling exponentially to final_rate of itself.
  double LearningRate(const Schedule& schedule) const;

 private:
  // Samples that matter along rays, ready for colour.
  struct Prepared {
    PackedSamples samples;
    torch::Tensor features;  // of all samples
    Selection selection;
  };

  Rays Bounded(const Rays& rays) const;
  // Far enough in an unbounded scene; as they are in a box.
  Rays Reaching(const Rays& rays) const;
  torch::Tensor Encode(const torch::Tensor& positions) const;
  torch::Tensor Density(const torch::Tensor& positions) const;
  Prepared Prepare(const Rays& rays,
                   const torch::Tensor& jitter,
                   const Roulette& roulette,
                   double stop_transmittance) const;
  struct Shaded {
    torch::Tensor densities;  // of the selected samples
    PackedComposite composite;
  };
  Shaded Shade(const Prepared& prepared,
               const torch::Tensor& features,
               const torch::Tensor& view_directions) const;
  torch::Tensor Loss(const torch::Tensor& rgb,
                     const torch::Tensor& truth) const;
  torch::Tensor Distortion(const Prepared& prepared,
                           const Shaded& shaded,
                           const Rays& rays) const;
  torch::Tensor WeightInFree(const Prepared& prepared,
                             const Shaded& shaded) const;
  void AdaptRays(int64_t rays, int64_t samples);
  void Optimise(const torch::Tensor& features,
                const torch::Tensor& positions,
                double learning_rate);
  Rendered RenderChunk(const Rays& rays) const;

  NgpOptions options_;
  MarchRules march_;
  bool huber_;
  std::vector<HashLevel> levels_;
  torch::Tensor table_, table_gradient_, table_second_, touched_;
  std::unique_ptr<NgpNets> nets_;
  std::unique_ptr<Adam> adam_;
  OccupancyGrid grid_;
  // Null where the LibTorch form does the work: CUDA, other sizes, no kernels.
  std::unique_ptr<NgpFused> fused_;
  int64_t rays_per_step_ = 0;
};

}  // namespace nerfpipe::nerf
