#pragma once

// Upkeep of the occupancy grid: the density in some of its cells is looked at,
// the others fade (Mueller et al. 2022, appendix E.2).

#include "stages/nerf/kernels/occupancy.h"
#include "stages/nerf/kernels/packet.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace nerfpipe::nerf::kernels {

struct GridOptions {
  float decay = 0.95f;      // of all cells at an update
  float threshold = 0.01f;  // optical thickness of a step: occupied above
  float length = 0;         // of that step
  int64_t warmup = 256;     // steps in which every cell is visited, and more
  int64_t every = 32;       // steps between updates afterwards
  // Steps between looks at the eighths of occupied cells, see RefinedBits(),
  // from the half of it on; 0: none.
  int64_t refine_every = 0;
  uint64_t seed = 1;
};

// Lets all cells fade, takes the larger of the old value and the optical
// thickness at a random point of each of `cells` (indices of
// OccupancyGrid::thickness(); with `replace` the new one), and rebuilds the
// grid. Cells below zero stay as they are.
void UpdateCells(const Model& model,
                 const std::vector<uint32_t>& cells,
                 bool replace,
                 const GridOptions& options,
                 int64_t step,
                 int threads,
                 OccupancyGrid* grid);

// To be called before every step: an eighth of all cells sixteen times during
// the warm-up, then a 32nd of all and as many of the occupied ones. True if
// something was done.
bool UpdateGridIfDue(const Model& model,
                     const GridOptions& options,
                     int64_t step,
                     int threads,
                     OccupancyGrid* grid);

// The occupied cells again, halved along each axis, without the eighths in
// which the field is as good as empty: what a march meets in a picture is
// mostly the air in the cells along surfaces. length: the step, as in
// GridOptions. Nothing where so much is occupied, as in the first steps, that
// it would not pay, or where nothing would be left.
std::optional<OccupancyBits> RefinedBits(const Model& model,
                                         const OccupancyGrid& grid,
                                         float length,
                                         int threads);

}  // namespace nerfpipe::nerf::kernels
