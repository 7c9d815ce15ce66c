#pragma once

// Small vectors and the shaping functions that the demo scene is drawn with.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace nerfpipe::demo {

struct Vec2 {
  double x = 0;
  double y = 0;
};

struct Vec3 {
  double x = 0;
  double y = 0;
  double z = 0;
};

inline Vec2 operator+(Vec2 a, Vec2 b) { return {a.x + b.x, a.y + b.y}; }
inline Vec2 operator-(Vec2 a, Vec2 b) { return {a.x - b.x, a.y - b.y}; }
inline Vec2 operator*(Vec2 a, double s) { return {a.x * s, a.y * s}; }
inline double Dot(Vec2 a, Vec2 b) { return a.x * b.x + a.y * b.y; }
inline double Length(Vec2 a) { return std::sqrt(Dot(a, a)); }

inline Vec3 operator+(Vec3 a, Vec3 b) {
  return {a.x + b.x, a.y + b.y, a.z + b.z};
}
inline Vec3 operator-(Vec3 a, Vec3 b) {
  return {a.x - b.x, a.y - b.y, a.z - b.z};
}
inline Vec3 operator*(Vec3 a, Vec3 b) {
  return {a.x * b.x, a.y * b.y, a.z * b.z};
}
inline Vec3 operator*(Vec3 a, double s) { return {a.x * s, a.y * s, a.z * s}; }
inline double Dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline double Length(Vec3 a) { return std::sqrt(Dot(a, a)); }
inline Vec3 Normalize(Vec3 a) { return a * (1 / Length(a)); }
inline Vec3 Cross(Vec3 a, Vec3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

inline double Mix(double a, double b, double t) { return a + (b - a) * t; }
inline Vec3 Mix(Vec3 a, Vec3 b, double t) { return a + (b - a) * t; }
inline double Clamp01(double x) { return std::clamp(x, 0.0, 1.0); }
// 0 below `low`, 1 above `high`, smooth between.
inline double SmoothStep(double low, double high, double x) {
  const double t = Clamp01((x - low) / (high - low));
  return t * t * (3 - 2 * t);
}
// 1 inside (distance < 0), 0 outside, over a soft edge of this width.
inline double Cover(double distance, double edge) {
  return 1 - SmoothStep(-0.5 * edge, 0.5 * edge, distance);
}

// Union and intersection of signed distances, rounded over a length k.
inline double SmoothMin(double a, double b, double k) {
  const double h = std::max(k - std::abs(a - b), 0.0) / k;
  return std::min(a, b) - h * h * k * 0.25;
}
inline double SmoothMax(double a, double b, double k) {
  return -SmoothMin(-a, -b, k);
}

// Signed distance of an axis-aligned box with rounded corners around 0.
inline double BoxDistance(Vec2 p, Vec2 half, double round) {
  const Vec2 q{std::abs(p.x) - half.x + round, std::abs(p.y) - half.y + round};
  return Length(Vec2{std::max(q.x, 0.0), std::max(q.y, 0.0)}) +
         std::min(std::max(q.x, q.y), 0.0) - round;
}
inline double BoxDistance(Vec3 p, Vec3 half, double round) {
  const Vec3 q{std::abs(p.x) - half.x + round,
               std::abs(p.y) - half.y + round,
               std::abs(p.z) - half.z + round};
  const Vec3 out{std::max(q.x, 0.0), std::max(q.y, 0.0), std::max(q.z, 0.0)};
  return Length(out) + std::min(std::max({q.x, q.y, q.z}), 0.0) - round;
}
inline double SegmentDistance(Vec2 p, Vec2 a, Vec2 b) {
  const Vec2 ab = b - a;
  return Length(p - a - ab * Clamp01(Dot(p - a, ab) / Dot(ab, ab)));
}
inline double SegmentDistance(Vec3 p, Vec3 a, Vec3 b) {
  const Vec3 ab = b - a;
  return Length(p - a - ab * Clamp01(Dot(p - a, ab) / Dot(ab, ab)));
}

inline Vec2 Rotate(Vec2 p, double angle) {
  const double c = std::cos(angle);
  const double s = std::sin(angle);
  return {c * p.x - s * p.y, s * p.x + c * p.y};
}

// Scrambles lattice coordinates into 32 bits.
inline uint32_t HashOf(int x, int y, int z, uint32_t seed) {
  uint32_t h = seed * 0x9e3779b1u + static_cast<uint32_t>(x) * 0x85ebca77u;
  h = (h ^ (h >> 15)) * 0x2c1b3c6du + static_cast<uint32_t>(y) * 0xc2b2ae3du;
  h = (h ^ (h >> 13)) * 0x297a2d39u + static_cast<uint32_t>(z) * 0x27d4eb2fu;
  h = (h ^ (h >> 16)) * 0x7feb352du;
  h = (h ^ (h >> 15)) * 0x846ca68bu;
  return h ^ (h >> 16);
}
inline double UnitHash(int x, int y, int z, uint32_t seed) {
  return HashOf(x, y, z, seed) * 0x1p-32;
}

// Smooth noise in [0, 1] with one lump per unit of p.
double Noise(Vec2 p, uint32_t seed);
double Noise(Vec3 p, uint32_t seed);
// `octaves` noises, each of twice the frequency and half the strength of the
// one before; in [0, 1].
double Fractal(Vec2 p, int octaves, uint32_t seed);
double Fractal(Vec3 p, int octaves, uint32_t seed);

}  // namespace nerfpipe::demo
