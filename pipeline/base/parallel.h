#pragma once

// A plain parallel loop over indices, for stages that do not use LibTorch.

#include <cstdint>
#include <functional>

namespace nerfpipe {

// Calls body(i) for i in 0 .. count - 1 from `threads` threads (0: one per
// core). The first exception thrown by a body is thrown again here, after the
// running bodies have ended and no new one was started.
void ParallelFor(int64_t count,
                 int threads,
                 const std::function<void(int64_t)>& body);

}  // namespace nerfpipe
