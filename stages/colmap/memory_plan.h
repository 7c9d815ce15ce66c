#pragma once

// How features are searched for within the memory that may be taken.

#include "stages/colmap/features/features.h"

#include <cstddef>
#include <cstdint>
#include <limits>

namespace nerfpipe::sfm {

// As StageContext has them; 0: no bound.
struct MemoryBounds {
  int64_t now = 0;    // for the number of threads
  int64_t limit = 0;  // for what changes the result
};

struct MemoryPlan {
  int threads = 1;     // that search at the same time; the rest takes little
  int image_size = 0;  // longer side, as FeatureOptions has it
  double bytes = 0;    // what the whole stage will take, about
  // The limit under which images are searched at the size asked for.
  int64_t wanted = 0;
  // Of all images together, that there is room for.
  int64_t most_features = std::numeric_limits<int64_t>::max();
  int64_t now = 0;          // of the bounds
  double bytes_search = 0;  // of one thread that searches

  // Threads that may search beside so many features of all images.
  int ThreadsBeside(int64_t features) const;
  // The limit that has room for them.
  int64_t LimitFor(int64_t features) const;
};

// As many of `threads` as fit. Where not even one fits into the limit, the
// images are searched at a lower size. Width and height are those of the
// `images` images.
MemoryPlan PlanMemory(int width,
                      int height,
                      size_t images,
                      const FeatureOptions& options,
                      int threads,
                      const MemoryBounds& bounds);

}  // namespace nerfpipe::sfm
