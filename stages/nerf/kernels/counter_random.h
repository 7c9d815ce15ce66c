#pragma once

// Random numbers that are a function of their place: nothing to save, nothing
// to resume, the same for any number of threads.

#include <cstdint>

namespace nerfpipe::nerf::kernels {

// What a stream of numbers is for; streams of one step are independent.
enum class RandomUse : uint64_t {
  kPixel = 1,
  kJitter = 2,
  kBackground = 3,
  kGridCell = 4,
  kGridPoint = 5,
  kRoulette = 6,
};

// splitmix64's finaliser (Steele et al. 2014).
inline uint64_t MixBits(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// The key of one stream of one step.
inline uint64_t RandomKey(uint64_t seed, int64_t step, RandomUse use) {
  const uint64_t at =
      static_cast<uint64_t>(step) * 16 + static_cast<uint64_t>(use);
  return MixBits(MixBits(seed + 0x9e3779b97f4a7c15u) +
                 at * 0x9e3779b97f4a7c15u);
}

// Number `index` of a stream.
inline uint64_t RandomBits(uint64_t key, uint64_t index) {
  return MixBits(key + (index + 1) * 0x9e3779b97f4a7c15u);
}

// Uniform in [0, 1) from 24 of the bits.
inline float UnitFloat(uint64_t bits) {
  return static_cast<float>(bits & 0xffffff) * 0x1p-24f;
}

inline float RandomUniform(uint64_t key, uint64_t index) {
  return UnitFloat(RandomBits(key, index));
}

// Uniform in 0 .. n - 1; n below 2^32.
inline uint32_t RandomBelow(uint64_t bits, uint32_t n) {
  return static_cast<uint32_t>(((bits >> 32) * n) >> 32);
}

}  // namespace nerfpipe::nerf::kernels
