#pragma once

// What the options of `splat` come to by the size of the pictures and the
// length of the run.

#include "stages/nerf/options.h"

#include <cstdint>

namespace nerfpipe::nerf::splat {

// splat.count, splat.first_count and splat.crop where they are 0.
void SettleSplat(Options* options, int64_t pixels);

}  // namespace nerfpipe::nerf::splat
