#include "stages/nerf/method_facts.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <cmath>

namespace nerfpipe::nerf {
namespace {

// With a batch of the same size the images do not matter.
double NgpPace(int64_t) { return 100; }

double NerfPace(int64_t) { return 0.2; }

// Larger parts of images than these are not looked at in one step.
double SplatPace(int64_t pixels) {
  const double looked_at =
      std::clamp(static_cast<double>(pixels), 12'500.0, 110'000.0);
  return 60 * std::pow(looked_at / 125'000, -0.8);
}

// Memory as short runs took it, without what scoring adds for a while.
const MethodFacts kFacts[] = {
    {"ngp", &NgpPace, 60, 1, true, false, true, 1.1, 0.35e9},
    // nerf-pytorch's 200,000 steps.
    {"nerf", &NerfPace, 1e6, 3e-5, false, false, true, 1, 0.4e9},
    {"splat", &SplatPace, 120, 1, true, true, false, 1.5, 0.35e9},
};

}  // namespace

const MethodFacts& FactsOf(const std::string& name) {
  for (const MethodFacts& facts : kFacts) {
    if (facts.name == name) return facts;
  }
  throw CheckFailed("there is no method " + name);
}

int StepsFor(const MethodFacts& facts, double seconds, int64_t pixels) {
  const double steps = std::ceil(seconds * facts.steps_per_second(pixels));
  return static_cast<int>(std::clamp(steps, 1.0, 1e9));
}

int64_t PeakBytes(const MethodFacts& facts, int64_t image_bytes) {
  return std::llround(facts.held_besides +
                      facts.held_per_image_byte *
                          static_cast<double>(image_bytes));
}

double BudgetOf(const Options& options) {
  const MethodFacts& facts = FactsOf(options.train.method);
  const TrainOptions& train = options.train;
  // A step's own price depends on the images; those of half a million pixels
  // stand for all.
  constexpr int64_t kTypical = 500'000;
  double seconds = facts.default_seconds;
  if (train.time > 0 && train.steps > 0) {
    seconds =
        std::min(train.time, train.steps / facts.steps_per_second(kTypical));
  } else if (train.time > 0) {
    seconds = train.time;
  } else if (train.steps > 0) {
    seconds = train.steps / facts.steps_per_second(kTypical);
  }
  return seconds;
}

int FactorFor(const MethodFacts& facts,
              double seconds,
              int width,
              int height,
              const std::vector<int>& factors) {
  NERFPIPE_CHECK(!factors.empty());
  constexpr double kSide = 1100;  // a little more than 1000 is no matter
  constexpr double kSeconds = 120;
  const double most = kSide * std::sqrt(facts.worth * seconds / kSeconds);
  const double side = std::max(width, height);
  int chosen = 0;
  for (const int factor : factors) {
    const bool carried = side / factor <= most;
    const bool better =
        chosen == 0 ||
        (side / chosen > most ? factor > chosen : carried && factor < chosen);
    if (better) chosen = factor;
  }
  return chosen;
}

}  // namespace nerfpipe::nerf
