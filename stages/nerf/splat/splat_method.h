#pragma once

// Method `splat`: gaussians with a colour by direction, projected and blended
// (Kerbl et al. 2023), arranged for a CPU: first ones by PatchMatch, a number
// that is settled beforehand, half the resolution at first, parts of large
// images. docs/PERFORMANCE.md has the figures behind the choices.

#include "stages/nerf/method.h"
#include "stages/nerf/splat/gaussian_set.h"
#include "stages/nerf/splat/initialisation.h"
#include "stages/nerf/splat/kernel_pool.h"
#include "stages/nerf/splat/kernels/splat_kernels.h"
#include "stages/nerf/splat/splat_space.h"
#include "stages/nerf/tensors.h"

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace nerfpipe::nerf::splat {

class SplatMethod : public Method {
 public:
  // With a data set, PatchMatch takes a second or a few.
  explicit SplatMethod(const MethodContext& context);

  // Gaussians that were trained elsewhere, in the coordinates of the world, for
  // pictures alone.
  SplatMethod(GaussianSet set, double near, float trained_blur);

  std::string Name() const override { return "splat"; }
  std::vector<std::pair<std::string, torch::Tensor>> Parameters() override;
  std::array<double, 3> Background() const override {
    return context_.background;
  }
  // On one training view, or a part of it.
  StepReport Step(int64_t step, const Schedule& schedule) override;
  RenderedView RenderView(const Camera& camera,
                          const Cancelled& cancelled = {}) const override;
  void Save(torch::serialize::OutputArchive& archive) override;
  void Load(torch::serialize::InputArchive& archive) override;

  const GaussianSet& gaussians() const { return set_; }
  const SplatSpace& space() const { return space_; }
  const SplatTimes& times() const { return kernels_->times(); }

 private:
  struct TrainingView {
    PinholeView view, half_view;
    torch::Tensor image, half;
    torch::Tensor mask, half_mask;  // undefined without one
  };
  // What a step looks at.
  struct Look {
    PinholeView view;
    PhotoPart photo;
  };

  SplatMethod(const MethodContext& context, GaussianSet set);
  void TakeViews(const Dataset& dataset);
  void Begin(const Dataset& dataset);
  uint64_t Key(int use, int64_t number) const;
  Look ChooseLook(int64_t step) const;
  UpdateRules RulesFor(int64_t step,
                       const Schedule& schedule,
                       int64_t pixels) const;
  int Degree() const;
  int64_t Wanted() const;
  void DensifyIfDue(double done);
  std::vector<KnownSurface> KnownSurfaces() const;
  // For a picture: with all threads, or where OneThread holds with one.
  KernelPool::Loan KernelsForPicture() const;

  MethodContext context_;
  SplatOptions options_;
  SplatSpace space_;
  int threads_;
  GaussianSet set_;
  std::unique_ptr<SplatKernels> kernels_;
  mutable KernelPool single_threaded_;
  std::vector<TrainingView> views_;
  std::vector<PinholeView> pinholes_;  // of views_
  Surfaces surfaces_;
  double near_ = 0;
  double reach_ = 1;  // of the cameras from their middle
  double focal_ = 0;  // mean of the training views, pixels; 0: as every view
  // In the pixels of every view, where that is not settled by the focal length.
  float trained_blur_ = kScreenBlur;
  // Part of what is saved.
  int64_t first_count_ = 0;
  double next_densification_ = 0;
  int64_t densifications_ = 0;
  // The farthest that a schedule got: who goes on does not begin anew with half
  // the resolution and without harmonics.
  double reached_ = 0;
};

}  // namespace nerfpipe::nerf::splat
