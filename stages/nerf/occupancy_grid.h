#pragma once

// Which parts of space hold anything, and walking rays through those parts
// only (Mueller et al. 2022, appendix E.2; instant-ngp, testbed_nerf.cu).

#include "stages/nerf/options.h"
#include "stages/nerf/rays.h"
#include "stages/nerf/scene.h"
#include "stages/nerf/scene_frame.h"
#include "stages/nerf/tensors.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace nerfpipe::nerf {

// How rays are cut into samples. Lengths are in frame units.
struct MarchRules {
  double step = 1.0 / 256;     // between samples
  double cone = 0;             // grows to distance times this
  int64_t max_samples = 2048;  // of one ray
};

// Samples of many rays, one after the other.
struct PackedSamples {
  torch::Tensor positions;  // M x 3, in [0, 1]^3: the grid's cube
  torch::Tensor depths;     // M, along the optical axis
  torch::Tensor deltas;     // M, length in space
  torch::Tensor rays;       // M, int64
  torch::Tensor offsets;    // N + 1, int64
};

class OccupancyGrid {
 public:
  // sigma (M) of positions (M x 3 in [0, 1]^3), on the grid's device.
  using DensityFunction = std::function<torch::Tensor(const torch::Tensor&)>;

  // Covers [-1, 1]^3 of a bounded frame, the contracted cube [-2, 2]^3 of an
  // unbounded one. At first every cell counts as occupied.
  OccupancyGrid(const NgpOptions& options, bool bounded, uint64_t seed);

  // Cells that no camera sees, or that transparent pixels show to be empty, are
  // taken out for good. Images of the views may be missing altogether.
  void MarkEmpty(const std::vector<View>& views, const SceneFrame& frame);

  // Cells that lines of sight to sparse points pass through (see FreeCells())
  // count as empty until OpenFree(), which is true when it opened them.
  void CloseFree(const torch::Tensor& sights, const SceneFrame& frame);
  bool OpenFree();

  // To be called before every step; does something only when an update is due.
  // `thickness` is the length that turns density into optical thickness.
  void UpdateIfDue(int64_t step,
                   double thickness,
                   const DensityFunction& density,
                   torch::Device device);

  // Samples in occupied cells between near and far of each ray. `jitter` (N,
  // in [0, 1)) moves the first one by that part of a step. Works on the CPU;
  // the result is on the device of the rays.
  PackedSamples March(const Rays& rays,
                      const torch::Tensor& jitter,
                      const MarchRules& rules) const;

  // Positions in [0, 1]^3 (N x 3) to whether their cells are occupied.
  torch::Tensor Occupied(const torch::Tensor& positions) const;
  // The same for the cells that CloseFree() found; false without it.
  torch::Tensor Free(const torch::Tensor& positions) const;
  // Those cells, resolution^3 booleans; undefined without it.
  const torch::Tensor& free_cells() const { return free_; }
  double OccupiedPart() const;

  // Optical thickness of each cell, float32, -1 where nothing is ever seen.
  const torch::Tensor& values() const { return values_; }
  // Reads values() as it was saved.
  void SetValues(const torch::Tensor& values);

 private:
  void Evaluate(const torch::Tensor& cells,
                bool replace,
                double thickness,
                uint64_t seed,
                const DensityFunction& density,
                torch::Device device);
  void FindOccupied();
  torch::Tensor CellsOf(const torch::Tensor& positions) const;

  NgpOptions options_;
  bool bounded_;
  uint64_t seed_;
  int64_t resolution_;
  torch::Tensor values_;  // resolution^3, x fastest
  float threshold_ = 0;   // of an occupied cell
  torch::Tensor bits_;    // one bit per cell, eight to a byte
  torch::Tensor free_;
  bool closed_ = false;  // cells of free_ are -1
};

}  // namespace nerfpipe::nerf
