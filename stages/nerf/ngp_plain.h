#pragma once

// `ngp` in plain tensor operations, the same ones on every device.

#include "stages/nerf/ngp_backend.h"

#include <memory>

namespace nerfpipe::nerf {

// `state` outlives the result, and is on run.device.
std::unique_ptr<NgpBackend> MakeNgpPlain(const NgpRun& run, NgpState* state);

}  // namespace nerfpipe::nerf
