#pragma once

// Randomness that needs no state: every step and purpose has its own sequence,
// a function of the seed. A resumed run draws what an undisturbed one would.

#include "pipeline/base/random.h"
#include "stages/nerf/tensors.h"

#include <cstdint>

namespace nerfpipe::nerf {

enum class Purpose : uint64_t {
  kParameters = 1,
  kPixels,
  kSamples,
  kBackground,
  kNoise,
  kGrid,
};

inline uint64_t SeedOf(uint64_t seed, Purpose purpose, int64_t step) {
  Random random(seed);
  Random mixed(random.Bits() ^ (static_cast<uint64_t>(purpose) << 56) ^
               static_cast<uint64_t>(step));
  return mixed.Bits();
}

// On the CPU, whatever the device: the numbers are the same everywhere.
inline torch::Generator GeneratorOf(uint64_t seed,
                                    Purpose purpose,
                                    int64_t step = 0) {
  return at::detail::createCPUGenerator(SeedOf(seed, purpose, step));
}

}  // namespace nerfpipe::nerf
