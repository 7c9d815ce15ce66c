#pragma once

// The `ngp` method on the CPU: a whole training step, rendering and the upkeep
// of the occupancy grid, on parameters that somebody else owns. Results do not
// depend on the number of threads: every sum has a fixed order.

#include "stages/nerf/kernels/adam.h"
#include "stages/nerf/kernels/grid_update.h"
#include "stages/nerf/kernels/occupancy.h"
#include "stages/nerf/kernels/occupancy_bits.h"
#include "stages/nerf/kernels/packet.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace nerfpipe::nerf::kernels {

struct StepOptions {
  SampleRules samples;
  LossKind loss = LossKind::kSquared;
  float distortion = 0;  // see LossRules
  float free_space = 0;
  AdamSettings table_adam;
  AdamSettings net_adam;
  // Behind transparent pixels: a new colour for every ray, or this one.
  bool random_background = true;
  std::array<float, 3> background = {1, 1, 1};
  // Trained samples the caller aims at per step: sets the size of packets.
  size_t target_samples = 8192;
  uint64_t seed = 1;
};

struct StepStats {
  double loss = 0;           // of the colours, mean over rays and channels
  double squared_error = 0;  // the same of the squares: -10 log10 is the PSNR
  int64_t marched = 0;       // samples whose density was computed
  int64_t trained = 0;
};

// Seconds of all threads together since the start.
struct KernelTimes {
  double march = 0, encode = 0, nets = 0, composite = 0, backward = 0;
  double scatter = 0, adam = 0, grid = 0;
  int64_t rows = 0;  // of the table, that Adam went through
};

class NgpKernels {
 public:
  // The memory behind the spans stays the caller's and is written by
  // TrainStep(). `first` and `second` are Adam's moments; second.table has
  // one element per row. kBfloat16 only where OffersBfloat16(). 0 threads: as
  // many as OpenMP would take.
  NgpKernels(const NgpShape& shape,
             const NgpTensors& values,
             const NetTensors& first,
             const NgpTensors& second,
             OccupancyGrid* grid,
             Precision precision,
             int threads);
  ~NgpKernels();
  NgpKernels(NgpKernels&&) noexcept;

  // Forward, loss, backward and Adam for one batch. rgba: count x 4, 0 to 1.
  // All randomness is a function of options.seed, `step` (from 0) and the
  // place of a ray in the batch.
  StepStats TrainStep(const RayArrays& rays,
                      const float* rgba,
                      const StepOptions& options,
                      int64_t step);

  // To be called before RenderRays() where many are to be rendered: finds the
  // empty parts of the occupied cells, for steps of `length`, until values or
  // grid change.
  void RefineGrid(float length);

  // Wheels of roulette start halfway. rgb: count x 3, over `background`; depth:
  // weighted mean of the samples' distances, in units of the directions (0:
  // nothing there); opacity: count.
  void RenderRays(const RayArrays& rays,
                  const SampleRules& rules,
                  const std::array<float, 3>& background,
                  float* rgb,
                  float* depth,
                  float* opacity);

  // To be called before every step; see grid_update.h.
  void UpdateGridIfDue(const GridOptions& options, int64_t step);

  // The finer bits that training marches through since the last look at them,
  // if there are any. Part of what a resumed run needs.
  const std::optional<OccupancyBits>& fine() const { return fine_; }

  // Call when values or grid were written by somebody else, who may have kept
  // fine(), too.
  void Reload(std::optional<OccupancyBits> fine = std::nullopt);

  KernelTimes times() const;

 private:
  struct Worker;

  void ForgetRefinement();
  void PackNets();
  void RunGroups(const RayArrays& rays,
                 const float* rgba,
                 const StepOptions& options,
                 int64_t step);
  void UpdateNets(const StepOptions& options, int64_t step);
  void UpdateLevel(const StepOptions& options, int level, Worker* worker);
  // Scatter and Adam for the table, Adam for the nets.
  void UpdateParameters(const StepOptions& options, int64_t step);

  Precision precision_;
  NgpTensors values_, second_;
  NetTensors first_;
  OccupancyGrid* grid_;
  std::optional<OccupancyBits> fine_;
  // For pictures, of values and grid as they are, for steps of this length; 0:
  // not looked for.
  float refined_length_ = 0;
  std::optional<OccupancyBits> refined_;
  int threads_;
  int64_t grid_time_ = 0;
  // values_.table rounded, which is what a forward pass reads: half the bytes
  // from memory. Steps are taken on the values themselves.
  Buffer<Half> halves_;
  Model model_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<GradientSink> groups_;
  std::vector<StepStats> group_stats_;
  std::vector<float> net_gradients_;
};

// Rays for the next step so that it trains about `target` samples.
int64_t NextRayCount(int64_t rays,
                     int64_t trained,
                     int64_t target,
                     int64_t most);

}  // namespace nerfpipe::nerf::kernels
