#pragma once

// A small random generator whose sequence is the same on every machine
// (splitmix64, Steele et al. 2014). Standard library only.

#include <cstdint>

namespace nerfpipe {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Bits() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // Uniform in [0, 1).
  double Uniform() { return static_cast<double>(Bits() >> 11) * 0x1p-53; }
  double Uniform(double low, double high) {
    return low + (high - low) * Uniform();
  }
  // Uniform in 0 .. n - 1.
  uint64_t Below(uint64_t n) { return Bits() % n; }

  uint64_t state() const { return state_; }

 private:
  uint64_t state_;
};

}  // namespace nerfpipe
