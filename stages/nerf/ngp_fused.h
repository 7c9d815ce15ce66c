#pragma once

// `ngp` by the fused CPU kernels: they write into the tensors of NgpState. Only
// this file's source sees them.

#include "stages/nerf/ngp_backend.h"
#include "stages/nerf/tensors.h"

#include <memory>
#include <string>

namespace nerfpipe::nerf {

// What keeps the kernels from this, in a sentence; empty: nothing does.
std::string WhyNotFused(const NgpOptions& options, torch::Device device);

// Where WhyNotFused() has nothing to say. `state` outlives the result. In a box
// pictures take a finer grid than the plain form has.
std::unique_ptr<NgpBackend> MakeNgpFused(const NgpRun& run, NgpState* state);

}  // namespace nerfpipe::nerf
