#pragma once

// The toys' signed distance sampled on a lattice: quick to look up, for
// crossing empty space, soft shadows and ambient light.

#include "data/demo/vec.h"

#include <cstdint>
#include <vector>

namespace nerfpipe::demo {

class DistanceGrid {
 public:
  DistanceGrid(Vec3 low, Vec3 high, double cell, int threads);

  double cell() const { return cell_; }
  // Trilinear, within one cell of the true distance; outside the lattice a
  // lower bound of it.
  double At(Vec3 p) const;
  // The solids (toys.h) that can be the nearest one at p or within a tenth of
  // a cell from it.
  uint32_t SolidsAt(Vec3 p) const;

 private:
  Vec3 low_;
  double cell_;
  int nx_;
  int ny_;
  int nz_;
  std::vector<float> values_;
  std::vector<uint32_t> solids_;
};

}  // namespace nerfpipe::demo
