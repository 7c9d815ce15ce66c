#pragma once

// `ngp` by the fused CPU kernels: the same parameters, moments and grid as
// the LibTorch form, which stays the definition of right. Only this file's
// source sees the kernels.

#include "stages/nerf/occupancy_grid.h"
#include "stages/nerf/options.h"
#include "stages/nerf/ray_method.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <torch/torch.h>

namespace nerfpipe::nerf {

// What the LibTorch form shares with the kernels. Tensors are float32 on the
// CPU and contiguous; the kernels write into their memory.
struct FusedState {
  torch::Tensor table, table_second;  // values, second moment of each row
  // Values and moments of the five matrices in the order of
  // NgpNets::Parameters().
  std::vector<torch::Tensor> nets, nets_first, nets_second;
  torch::Tensor grid;  // OccupancyGrid::values()
  torch::Tensor free;  // OccupancyGrid::free_cells()
};

// Rendering by `ngp`, in either form: lighter samples share their colour by
// roulette, and a ray ends where half a step of eight bits is left. On fox both
// together change the PSNR by 0.01 dB.
inline constexpr double kRenderRoulette = 0.01;
inline constexpr double kRenderStop = 1.0 / 512;

// Elements of FineGrid(): 256^3 bits.
inline constexpr int64_t kFineGridWords = int64_t{1} << 19;

struct FusedRules {
  bool bounded = false;
  int finest_resolution = 0;
  MarchRules march;
  bool huber = false;
  uint64_t seed = 1;
  std::array<double, 3> background = {1, 1, 1};
  int threads = 1;
};

class NgpFused {
 public:
  // Nothing when the kernels are not built in, or are made for other sizes
  // than these options ask for.
  static std::unique_ptr<NgpFused> Make(const NgpOptions& options,
                                        const FusedRules& rules,
                                        const FusedState& state);
  ~NgpFused();

  // The report's rays and rate are the caller's to fill in.
  StepReport Step(const RayBatch& batch, int64_t step, double learning_rate);
  // In a box by a finer grid than the LibTorch form has; see RefineGrid().
  Rendered Render(const Rays& rays);
  // Words of the finer grid that steps march through in a box, int32; all of
  // them 0: there is none as yet.
  torch::Tensor FineGrid() const;
  // To be called when values or grid were written by somebody else, with what
  // FineGrid() was then.
  void Reload(const torch::Tensor& fine_grid);
  // The same for cells of the grid alone.
  void GridChanged();

 private:
  struct Kernels;
  NgpFused(const NgpOptions& options,
           const FusedRules& rules,
           const FusedState& state);

  NgpOptions options_;
  FusedRules rules_;
  FusedState state_;
  std::unique_ptr<Kernels> kernels_;
};

}  // namespace nerfpipe::nerf
