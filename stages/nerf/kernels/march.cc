#include "stages/nerf/kernels/march.h"

#include <algorithm>
#include <cmath>

// The order matters: foreach_target.h reads this file once per SIMD level.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "stages/nerf/kernels/march.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace nerfpipe::nerf::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::CappedTag<float, 16>;
using IntTag = hn::RebindToSigned<FloatTag>;
using WordTag = hn::RebindToUnsigned<FloatTag>;
using FloatVec = hn::Vec<FloatTag>;

struct Place {
  FloatVec x, y, z;
};

HWY_INLINE FloatVec Distances(const MarchRules& rules,
                              const MarchRay& ray,
                              FloatVec s) {
  const FloatTag d;
  const auto even = hn::MulAdd(s, hn::Set(d, rules.step), hn::Set(d, ray.near));
  if (!rules.contracted) return even;
  const auto beyond = hn::Sub(s, hn::Set(d, ray.straight));
  const auto rate = hn::Set(d, ray.growth);
  const auto grown =
      hn::Mul(hn::Set(d, ray.grow_from), hn::Exp(d, hn::Mul(beyond, rate)));
  return hn::IfThenElse(hn::Lt(beyond, hn::Zero(d)), even, grown);
}

// Frame coordinates to the unit cube.
HWY_INLINE Place ToUnit(const MarchRules& rules, Place p) {
  const FloatTag d;
  const auto half = hn::Set(d, 0.5f);
  if (!rules.contracted) {
    return {hn::MulAdd(p.x, half, half),
            hn::MulAdd(p.y, half, half),
            hn::MulAdd(p.z, half, half)};
  }
  const auto one = hn::Set(d, 1.0f);
  const auto norm = hn::Max(hn::Abs(p.x), hn::Max(hn::Abs(p.y), hn::Abs(p.z)));
  const auto inverse = hn::Div(one, hn::Max(norm, one));
  // (2 - 1/m) / m, which is 1 at m = 1; then / 4.
  const auto factor = hn::Mul(
      hn::Mul(hn::Sub(hn::Set(d, 2.0f), inverse), inverse), hn::Set(d, 0.25f));
  return {hn::MulAdd(p.x, factor, half),
          hn::MulAdd(p.y, factor, half),
          hn::MulAdd(p.z, factor, half)};
}

HWY_INLINE hn::Vec<WordTag> CellOnAxis(FloatVec unit, int side) {
  const FloatTag d;
  const IntTag di;
  const auto cell =
      hn::ConvertTo(di, hn::Mul(unit, hn::Set(d, static_cast<float>(side))));
  const auto kept = hn::Min(hn::Max(cell, hn::Zero(di)), hn::Set(di, side - 1));
  return hn::BitCast(WordTag(), kept);
}

// All ones in lanes whose cell is occupied.
HWY_INLINE hn::Mask<FloatTag> Occupied(const OccupancyBits& bits, Place unit) {
  const FloatTag d;
  const IntTag di;
  const WordTag du;
  const auto x = CellOnAxis(unit.x, bits.side());
  const auto y = CellOnAxis(unit.y, bits.side());
  const auto z = CellOnAxis(unit.z, bits.side());
  const auto three = hn::Set(du, 3u);
  const auto blocks = hn::Set(du, static_cast<uint32_t>(bits.block_side()));
  const auto block =
      hn::Add(hn::ShiftRight<2>(x),
              hn::Mul(blocks,
                      hn::Add(hn::ShiftRight<2>(y),
                              hn::Mul(blocks, hn::ShiftRight<2>(z)))));
  const auto bit = hn::Add(hn::And(x, three),
                           hn::Add(hn::ShiftLeft<2>(hn::And(y, three)),
                                   hn::ShiftLeft<4>(hn::And(z, three))));
  const auto index = hn::Add(hn::ShiftLeft<1>(block), hn::ShiftRight<5>(bit));
  const auto word =
      hn::GatherIndex(du, bits.words().data(), hn::BitCast(di, index));
  const auto chosen = hn::Shl(hn::Set(du, 1u), hn::And(bit, hn::Set(du, 31u)));
  return hn::RebindMask(d, hn::TestBit(word, chosen));
}

// How many more samples from the one at distance t on certainly are in empty
// blocks; 0 when that one is not.
HWY_INLINE int32_t EmptyAhead(const MarchRules& rules,
                              const OccupancyBits& bits,
                              const MarchRay& ray,
                              float t) {
  const float half = rules.contracted ? 2.0f : 1.0f;
  const int blocks = bits.block_side();
  const float side = 2 * half / static_cast<float>(blocks);
  int block[3];
  float place[3];
  for (int a = 0; a < 3; ++a) {
    place[a] = ray.origin[a] + t * ray.direction[a];
    // Beyond the inner cube the blocks are bent.
    if (!(std::abs(place[a]) <= 1)) return 0;
    block[a] =
        std::min(static_cast<int>((place[a] + half) * (1 / side)), blocks - 1);
  }
  const int clear =
      bits.clearance()[block[0] + blocks * (block[1] + blocks * block[2])];
  if (clear == 0) return 0;
  float exit = ray.far;
  for (int a = 0; a < 3; ++a) {
    if (ray.direction[a] == 0) continue;
    const bool up = ray.direction[a] > 0;
    const int last = up ? block[a] + clear : block[a] + 1 - clear;
    const float edge =
        std::clamp(static_cast<float>(last) * side - half, -1.0f, 1.0f);
    exit = std::min(exit, t + (edge - place[a]) * ray.inverse[a]);
  }
  const float longest =
      rules.contracted ? std::max(rules.step, exit * rules.cone) : rules.step;
  return std::max(0, static_cast<int32_t>((exit - t) / longest));
}

size_t MarchT(const MarchRules& rules,
              const OccupancyBits& bits,
              size_t wanted,
              MarchRay* ray,
              const MarchSamples& samples) {
  const FloatTag d;
  static_assert(hn::MaxLanes(d) <= kMarchSlack);
  const int32_t lanes = static_cast<int32_t>(hn::Lanes(d));
  const auto far = hn::Set(d, ray->far);
  size_t found = 0;
  bool empty = true;  // what was looked at last; the start may well be
  while (found < wanted) {
    const auto s = hn::Iota(d, static_cast<float>(ray->next) + ray->jitter);
    const auto t = Distances(rules, *ray, s);
    const float first = hn::GetLane(t);
    if (first >= ray->far) {
      ray->done = true;
      break;
    }
    // A jump that is no longer than a vector is not worth its price.
    const int32_t skip = empty ? EmptyAhead(rules, bits, *ray, first) : 0;
    if (skip > lanes) {
      ray->next += skip;
      continue;
    }
    const auto along = [&](int a) HWY_ATTR {
      return hn::MulAdd(
          t, hn::Set(d, ray->direction[a]), hn::Set(d, ray->origin[a]));
    };
    const Place unit = ToUnit(rules, {along(0), along(1), along(2)});
    const auto on = hn::And(Occupied(bits, unit), hn::Lt(t, far));
    const size_t n = hn::CountTrue(d, on);
    empty = n == 0;
    if (n > 0) {
      // Whole vectors: there is room behind, and a store of some lanes is slow.
      const auto keep = [&](FloatVec values, float* to) HWY_ATTR {
        hn::StoreU(hn::Compress(values, on), d, to + found);
      };
      keep(unit.x, samples.x);
      keep(unit.y, samples.y);
      keep(unit.z, samples.z);
      keep(t, samples.distance);
      auto length = hn::Set(d, rules.step);
      if (rules.contracted) {
        length = hn::Max(length, hn::Mul(t, hn::Set(d, rules.cone)));
      }
      keep(length, samples.length);
      found += n;
    }
    ray->next += lanes;
  }
  return found;
}

}  // namespace HWY_NAMESPACE
}  // namespace nerfpipe::nerf::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nerfpipe::nerf::kernels {
namespace {
HWY_EXPORT(MarchT);
}  // namespace

MarchRay StartRay(const MarchRules& rules,
                  const float origin[3],
                  const float direction[3],
                  float near,
                  float far,
                  float jitter) {
  MarchRay ray = {};
  for (int a = 0; a < 3; ++a) {
    ray.origin[a] = origin[a];
    ray.direction[a] = direction[a];
    ray.inverse[a] = 1 / direction[a];
    if (rules.contracted) continue;
    const float t0 = (-1 - origin[a]) * ray.inverse[a];
    const float t1 = (1 - origin[a]) * ray.inverse[a];
    if (direction[a] == 0) {
      if (std::abs(origin[a]) > 1) far = near;
    } else {
      near = std::max(near, std::min(t0, t1));
      far = std::min(far, std::max(t0, t1));
    }
  }
  ray.near = near;
  ray.far = far;
  ray.jitter = jitter;
  ray.done = !(near < far);
  if (rules.contracted) {
    ray.grow_from = std::max(near, rules.step / rules.cone);
    ray.straight = (ray.grow_from - near) / rules.step;
    ray.growth = std::log1p(rules.cone);
  }
  return ray;
}

size_t March(const MarchRules& rules,
             const OccupancyBits& bits,
             size_t wanted,
             MarchRay* ray,
             const MarchSamples& samples) {
  return HWY_DYNAMIC_DISPATCH(MarchT)(rules, bits, wanted, ray, samples);
}

}  // namespace nerfpipe::nerf::kernels
#endif  // HWY_ONCE
