#pragma once

// How features are searched for within the memory that may be taken.

#include "stages/colmap/features/features.h"

#include <cstddef>
#include <cstdint>
#include <limits>

namespace nerfpipe::sfm {

struct MemoryPlan {
  int threads = 1;     // that search at the same time; the rest takes little
  int image_size = 0;  // longer side, as FeatureOptions has it
  double bytes = 0;    // what the whole stage will take, about
  // Of all images together, that there is room for.
  int64_t most_features = std::numeric_limits<int64_t>::max();
};

// As many of `threads` as fit into `memory` bytes; if not even one does, the
// images are searched at a lower size. A `memory` of 0 sets no bound. Width and
// height are those of the `images` images.
MemoryPlan PlanMemory(int width,
                      int height,
                      size_t images,
                      const FeatureOptions& options,
                      int threads,
                      int64_t memory);

}  // namespace nerfpipe::sfm
