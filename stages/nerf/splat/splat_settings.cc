#include "stages/nerf/splat/splat_settings.h"

#include "stages/nerf/method_facts.h"

#include <algorithm>
#include <cmath>

namespace nerfpipe::nerf::splat {
namespace {

// More pixels than this a step looks at in parts: gaussians are many then, and
// steps too few.
constexpr int kCrop = 110'000;

// More pixels and more time carry more gaussians, but not in proportion; small
// images need not so many fewer. Measured in docs/PERFORMANCE.md.
double CountFor(double pixels, double seconds) {
  const double times = pixels / 125'000;
  return 60'000 * std::pow(times, times > 1 ? 0.54 : 0.21) *
         std::pow(seconds / 60, 0.226);
}

}  // namespace

void SettleSplat(Options* options, int64_t pixels) {
  SplatOptions& splat = options->splat;
  const TrainOptions& train = options->train;
  if (splat.crop == 0) splat.crop = kCrop;
  if (splat.count == 0) {
    const double by_steps =
        train.steps / FactsOf("splat").steps_per_second(pixels);
    const double seconds =
        train.time > 0 ? std::min(train.time, by_steps) : by_steps;
    splat.count = static_cast<int>(std::clamp(
        CountFor(static_cast<double>(pixels), seconds), 1000.0, 2e6));
  }
  // The rest goes where the error turns out to be.
  if (splat.first_count == 0) {
    splat.first_count = std::max(16, static_cast<int>(0.85 * splat.count));
  }
}

}  // namespace nerfpipe::nerf::splat
