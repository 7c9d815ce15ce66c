#pragma once

// What all training views together say of each gaussian: how finely it was
// photographed, and whether it floats in front of what is known to be there.

#include "stages/nerf/splat/kernels/gaussian_blocks.h"

#include <cstdint>
#include <vector>

namespace nerfpipe::nerf::splat {

// Sets smoothing[i] for all gaussians: a fifth of the square of the smallest
// pixel that any view has at its place, a little beyond the picture included
// (Yu et al. 2024). Those that no view sees get that of the nearest view along
// its axis, and 0 where there is none.
void MeasureSmoothing(const Gaussians& gaussians,
                      const std::vector<PinholeView>& views,
                      int threads,
                      float* smoothing);

// Inverse depths that a view is sure of, on a grid; 0 elsewhere.
struct KnownSurface {
  PinholeView view;
  int step = 4;  // pixels
  int width = 0;
  int height = 0;
  const float* inverse_depth = nullptr;
};

struct FloaterRules {
  int least_views = 4;     // in which it stands in front
  float tolerance = 0.1f;  // of the depth
};

// floats[i] is 1 where a gaussian stands more than the tolerance in front of
// the known surface in enough views, and in more than in which it is part of
// it; else 0.
void FindFloaters(const Gaussians& gaussians,
                  const std::vector<KnownSurface>& surfaces,
                  const FloaterRules& rules,
                  int threads,
                  uint8_t* floats);

}  // namespace nerfpipe::nerf::splat
