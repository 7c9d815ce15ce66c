#include "stages/nerf/ngp_settings.h"

#include "stages/nerf/method_facts.h"

#include <algorithm>
#include <cmath>

namespace nerfpipe::nerf {
namespace {

// In a short run the rows of a large table are visited too seldom, and all of
// it is too far from the processor. In a box, where samples are few and lie
// close, twice as many rows pay. Measured in docs/PERFORMANCE.md.
int Log2Table(double seconds, bool bounded) {
  const int unbounded = seconds <= 30 ? 16 : seconds <= 240 ? 17 : 18;
  return bounded ? unbounded + 1 : unbounded;
}

}  // namespace

void SettleNgp(Options* options, bool bounded, torch::Device device) {
  NgpOptions& ngp = options->ngp;
  if (ngp.log2_table == 0) {
    ngp.log2_table =
        device.is_cpu() ? Log2Table(BudgetOf(*options), bounded) : 19;
  }
  if (ngp.finest_resolution == 0) {
    ngp.finest_resolution =
        std::max(ngp.base_resolution, bounded ? 1024 : 2048);
  }
  if (ngp.step == 0) ngp.step = bounded ? 2 * std::sqrt(3.0) / 512 : 1.0 / 256;
  // Below, hidden things are trained at the price of visible ones; above, the
  // random colour behind the ray drowns the rest. Measured likewise.
  if (ngp.stop_transmittance == 0) {
    ngp.stop_transmittance = bounded ? 0.02 : 0.01;
  }
  // Below, the march meets more air; above, thin things are lost. In a box
  // there is less of both.
  if (ngp.grid_threshold == 0) {
    ngp.grid_threshold = bounded ? 0.005 : 0.01;
  }
}

void SettleEarlierNgp(Options* options, bool bounded) {
  NgpOptions& ngp = options->ngp;
  if (ngp.finest_resolution == 0) {
    ngp.finest_resolution =
        std::max(ngp.base_resolution, bounded ? 1024 : 2048);
  }
  if (ngp.step == 0) ngp.step = bounded ? 2 * std::sqrt(3.0) / 512 : 1.0 / 256;
}

MarchRules MarchRulesOf(const NgpOptions& options, bool bounded) {
  MarchRules rules;
  rules.step = options.step;
  rules.cone = bounded ? 0 : options.cone;
  return rules;
}

}  // namespace nerfpipe::nerf
