#include "stages/nerf/ngp_settings.h"

#include "stages/nerf/method_facts.h"

#include <algorithm>
#include <cmath>

namespace nerfpipe::nerf {
namespace {

// In a short run the rows of a large table are visited too seldom, and all of
// it is too far from the processor; many pixels have more to be kept. In a box
// there is no more than the object. Measured in docs/PERFORMANCE.md.
int Log2Table(double seconds, const RunFacts& facts) {
  constexpr int64_t kMany = 8'000'000;
  if (facts.bounded) return seconds <= 30 ? 17 : seconds <= 240 ? 18 : 19;
  const int table = seconds <= 15 ? 17 : seconds <= 40 ? 18 : 19;
  return facts.all_pixels > kMany ? table + 1 : table;
}

// Cells of the finest level along a side, so that one is not larger than a
// pixel at the distance 1. A box is as large as what is in it.
int FinestResolution(const RunFacts& facts) {
  if (facts.bounded) return 1024;
  constexpr double kSide = 4;  // of all of space, contracted
  const double cells = std::clamp(kSide / facts.pixel, 2048.0, 16384.0);
  return static_cast<int>(std::exp2(std::ceil(std::log2(cells) - 1e-6)));
}

// The step against the distance: two pixels.
double Cone(double pixel) {
  return std::clamp(2 * pixel, 1.0 / 1024, 1.0 / 128);
}

}  // namespace

void SettleNgp(Options* options, const RunFacts& facts) {
  NgpOptions& ngp = options->ngp;
  const bool bounded = facts.bounded;
  if (ngp.log2_table == 0) {
    ngp.log2_table =
        facts.device.is_cpu() ? Log2Table(BudgetOf(*options), facts) : 19;
  }
  if (ngp.finest_resolution == 0) {
    ngp.finest_resolution =
        std::max(ngp.base_resolution, FinestResolution(facts));
  }
  if (ngp.cone == 0) ngp.cone = Cone(facts.pixel);
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
