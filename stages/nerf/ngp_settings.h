#pragma once

// What the options of `ngp` come to in a scene.

#include "stages/nerf/occupancy_grid.h"
#include "stages/nerf/options.h"
#include "stages/nerf/run_facts.h"

namespace nerfpipe::nerf {

// Where they are 0: ngp.log2_table by the length of the run and the images,
// ngp.finest_resolution and ngp.cone by the pixels, ngp.step,
// ngp.stop_transmittance and ngp.grid_threshold by the scene.
void SettleNgp(Options* options, const RunFacts& facts);

// Of a checkpoint from before ngp.finest_resolution and ngp.step were kept in
// it: what 0 meant then.
void SettleEarlierNgp(Options* options, bool bounded);

// Of options that are settled.
MarchRules MarchRulesOf(const NgpOptions& options, bool bounded);

}  // namespace nerfpipe::nerf
