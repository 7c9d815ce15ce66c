#pragma once

// Gaussians go where nobody needs them, and come where the pictures are still
// wrong.

#include "stages/nerf/splat/gaussian_set.h"

#include <cstdint>

namespace nerfpipe::nerf::splat {

struct DensifyRules {
  float least_opacity = 0.005f;  // below, a gaussian is removed
  int64_t wanted = 0;            // gaussians to have then
};

// Removes those that are too faint or whose `floats` is not 0, then splits
// until there are as many as wanted (at most half of those there are): drawn
// without replacement, each by its share of the error since the last time.
// Clears the errors. Random numbers are a function of the key.
void Densify(const DensifyRules& rules,
             const std::vector<uint8_t>& floats,
             uint64_t key,
             GaussianSet* set);

}  // namespace nerfpipe::nerf::splat
