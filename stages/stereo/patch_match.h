#pragma once

// Depth from two and more pictures by PatchMatch (Bleyer et al. 2011; the
// choice of pictures as in Schoenberger et al. 2016): every cell tries the
// depths of its neighbours and a few at random, and keeps the one at which the
// other pictures look like its own.

#include "stages/stereo/stereo_view.h"

#include <cstdint>
#include <vector>

namespace nerfpipe::stereo {

struct PatchMatchRules {
  int step = 4;        // pixels from cell to cell
  int sweeps = 4;      // over the cells, after the first guess
  float spacing = 2;   // pixels between the 4 x 4 places that are compared
  int few_points = 8;  // fewer depths known than this count for nothing
};

// Of view `index`, compared with `neighbours`. A function of the arguments
// alone, at every SIMD level nearly the same. Nothing is known without
// neighbours.
DepthMap MatchPatches(const std::vector<View>& views,
                      int index,
                      const std::vector<int>& neighbours,
                      const PatchMatchRules& rules,
                      uint64_t seed);

}  // namespace nerfpipe::stereo
