#pragma once

// The two forms of `ngp` behind one interface: plain tensor operations on any
// device (ngp_plain.h), which are the definition of right, and fused kernels
// for the CPU (ngp_fused.h). Option ngp.fused chooses between them.

#include "stages/nerf/adam.h"
#include "stages/nerf/fields.h"
#include "stages/nerf/hash_grid.h"
#include "stages/nerf/occupancy_grid.h"
#include "stages/nerf/options.h"
#include "stages/nerf/ray_method.h"
#include "stages/nerf/tensors.h"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace nerfpipe::nerf {

// Pictures, in either form: lighter samples share their colour by roulette, and
// a ray ends where half a step of eight bits is left. On fox both together
// change the PSNR by 0.01 dB.
inline constexpr double kRenderRoulette = 0.01;
inline constexpr double kRenderStop = 1.0 / 512;

// Elements of NgpBackend::FineGrid(): 256^3 bits.
inline constexpr int64_t kFineGridWords = int64_t{1} << 19;

// What stays as it is for a whole run.
struct NgpRun {
  NgpOptions options;  // nothing in them is left open
  bool bounded = false;
  MarchRules march;
  uint64_t seed = 1;
  std::array<double, 3> background = {1, 1, 1};
  torch::Device device = torch::kCPU;
  int threads = 1;
};

// What training changes, and a form works on in place. Tensors are float32 on
// the device, those of the grid on the CPU.
struct NgpState {
  std::vector<HashLevel> levels;
  torch::Tensor table;         // rows x features, a leaf with a gradient
  torch::Tensor table_second;  // rows: Adam's second moment of each
  std::unique_ptr<NgpNets> nets;
  std::unique_ptr<Adam> adam;  // of the nets
  OccupancyGrid grid;
};

class NgpBackend {
 public:
  virtual ~NgpBackend() = default;

  // Upkeep of the grid, forward, loss, backward and Adam. Rays of unbounded
  // scenes reach as far as is marched. The report's pixels and rate are the
  // caller's to fill in.
  virtual StepReport Step(const RayBatch& batch,
                          int64_t step,
                          double learning_rate) = 0;
  virtual Rendered Render(const Rays& rays) const = 0;

  // Of what a resumed run needs, that which is not in NgpState: words of the
  // finer grid that steps march through in a box, int32, kFineGridWords; all of
  // them 0: there is none.
  virtual torch::Tensor FineGrid() const = 0;
  // To be called when somebody else wrote NgpState, with what FineGrid() was
  // then.
  virtual void StateChanged(const torch::Tensor& fine_grid) = 0;
  // The same for cells of the grid alone.
  virtual void GridChanged() = 0;
};

}  // namespace nerfpipe::nerf
