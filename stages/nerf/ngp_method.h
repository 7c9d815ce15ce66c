#pragma once

// Method `ngp`: hash grid, two small nets, occupancy grid (Mueller et al.
// 2022), arranged for a CPU: small batches, and no training of samples that
// hardly show.

#include "stages/nerf/ngp_backend.h"
#include "stages/nerf/ray_method.h"
#include "stages/nerf/tensors.h"

#include <memory>
#include <string>
#include <vector>

namespace nerfpipe::nerf {

class NgpMethod : public RayMethod {
 public:
  explicit NgpMethod(const MethodContext& context);

  std::string Name() const override { return "ngp"; }
  std::string Remark() const override { return remark_; }
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

  const OccupancyGrid& grid() const { return state_.grid; }

  // Constant at first, then falling exponentially to final_rate of itself.
  double LearningRate(const Schedule& schedule) const;

 private:
  // Far enough in an unbounded scene; as they are in a box.
  Rays Reaching(const Rays& rays) const;
  void AdaptRays(int64_t rays, int64_t samples);

  NgpRun run_;
  NgpState state_;
  std::string remark_;
  std::unique_ptr<NgpBackend> backend_;
  int64_t rays_per_step_ = 0;
};

}  // namespace nerfpipe::nerf
