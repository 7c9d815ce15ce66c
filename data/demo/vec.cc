#include "data/demo/vec.h"

namespace nerfpipe::demo {
namespace {

double Fade(double t) { return t * t * t * (t * (t * 6 - 15) + 10); }

template <typename Vec>
double SumOctaves(Vec p, int octaves, uint32_t seed) {
  double sum = 0;
  double total = 0;
  double strength = 1;
  for (int i = 0; i < octaves; ++i) {
    sum += strength * Noise(p, seed + i);
    total += strength;
    strength *= 0.5;
    p = p * 2.03;
  }
  return sum / total;
}

}  // namespace

double Noise(Vec2 p, uint32_t seed) {
  const double fx = std::floor(p.x);
  const double fy = std::floor(p.y);
  const int x = static_cast<int>(fx);
  const int y = static_cast<int>(fy);
  const double u = Fade(p.x - fx);
  const double v = Fade(p.y - fy);
  return Mix(
      Mix(UnitHash(x, y, 0, seed), UnitHash(x + 1, y, 0, seed), u),
      Mix(UnitHash(x, y + 1, 0, seed), UnitHash(x + 1, y + 1, 0, seed), u),
      v);
}

double Noise(Vec3 p, uint32_t seed) {
  const double fx = std::floor(p.x);
  const double fy = std::floor(p.y);
  const double fz = std::floor(p.z);
  const int x = static_cast<int>(fx);
  const int y = static_cast<int>(fy);
  const int z = static_cast<int>(fz);
  const double u = Fade(p.x - fx);
  const double v = Fade(p.y - fy);
  double layer[2];
  for (int k = 0; k < 2; ++k) {
    const double low =
        Mix(UnitHash(x, y, z + k, seed), UnitHash(x + 1, y, z + k, seed), u);
    const double high = Mix(UnitHash(x, y + 1, z + k, seed),
                            UnitHash(x + 1, y + 1, z + k, seed),
                            u);
    layer[k] = Mix(low, high, v);
  }
  return Mix(layer[0], layer[1], Fade(p.z - fz));
}

double Fractal(Vec2 p, int octaves, uint32_t seed) {
  return SumOctaves(p, octaves, seed);
}

double Fractal(Vec3 p, int octaves, uint32_t seed) {
  return SumOctaves(p, octaves, seed);
}

}  // namespace nerfpipe::demo
