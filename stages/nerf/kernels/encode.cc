#include "stages/nerf/kernels/encode.h"

#include <hwy/cache_control.h>

// The order matters: foreach_target.h reads this file once per SIMD level.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "stages/nerf/kernels/encode.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace nerfpipe::nerf::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::CappedTag<float, 16>;
using IndexTag = hn::RebindToUnsigned<FloatTag>;
using RowTag = hn::FixedTag<float, kFeatures>;

// The eight table rows round each of up to 16 points, and their weights.
struct Corners {
  alignas(64) uint32_t row[8][16];
  alignas(64) float weight[8][16];
};

// Cell and place in it along one axis.
struct Axis {
  hn::Vec<IndexTag> cell;
  hn::Vec<FloatTag> fraction;
};

HWY_INLINE Axis PlaceOnAxis(const float* HWY_RESTRICT x, float scale) {
  const FloatTag d;
  const auto place =
      hn::MulAdd(hn::LoadU(d, x), hn::Set(d, scale), hn::Set(d, 0.5f));
  const auto cell = hn::Floor(place);
  const hn::RebindToSigned<FloatTag> di;
  return {hn::BitCast(IndexTag(), hn::ConvertTo(di, cell)),
          hn::Sub(place, cell)};
}

// Part of the row that a cell number along one axis makes: in hashed levels
// that of the brick of 2^3 and, in the lowest bits, that of the place in it.
template <int kAxis>
HWY_INLINE hn::Vec<IndexTag> AlongAxis(const GridLevel& level,
                                       hn::Vec<IndexTag> cell,
                                       hn::Vec<IndexTag> step) {
  if (!level.hashed) return hn::Mul(cell, step);
  const auto brick = hn::Mul(hn::ShiftRight<1>(cell), step);
  const auto inside = hn::And(cell, hn::Set(IndexTag(), 1u));
  return hn::Or(hn::ShiftLeft<3>(brick), hn::ShiftLeft<kAxis>(inside));
}

HWY_INLINE void FindCorners(const GridLevel& level,
                            const Points& points,
                            size_t at,
                            Corners* HWY_RESTRICT corners) {
  const FloatTag d;
  const IndexTag du;
  const Axis x = PlaceOnAxis(points.x + at, level.scale);
  const Axis y = PlaceOnAxis(points.y + at, level.scale);
  const Axis z = PlaceOnAxis(points.z + at, level.scale);
  const auto step_y =
      hn::Set(du, level.hashed ? 2654435761u : level.resolution);
  const auto step_z = hn::Set(
      du, level.hashed ? 805459861u : level.resolution * level.resolution);
  // What each corner adds to a row, or is XORed into it, by its axis.
  hn::Vec<IndexTag> xs[2], ys[2], zs[2];
  for (uint32_t i = 0; i < 2; ++i) {
    const auto high = hn::Set(du, i);
    xs[i] = AlongAxis<0>(level, hn::Add(x.cell, high), hn::Set(du, 1u));
    ys[i] = AlongAxis<1>(level, hn::Add(y.cell, high), step_y);
    zs[i] = AlongAxis<2>(level, hn::Add(z.cell, high), step_z);
  }
  const auto one = hn::Set(d, 1.0f);
  const hn::Vec<FloatTag> wx[2] = {hn::Sub(one, x.fraction), x.fraction};
  const hn::Vec<FloatTag> wy[2] = {hn::Sub(one, y.fraction), y.fraction};
  const hn::Vec<FloatTag> wz[2] = {hn::Sub(one, z.fraction), z.fraction};
  const auto rows = hn::Set(du, level.rows);
  const auto row_mask = hn::Set(du, level.rows - 1);
  for (int c = 0; c < 8; ++c) {
    const int i = c & 1, j = (c >> 1) & 1, k = c >> 2;
    hn::Vec<IndexTag> row;
    if (level.hashed) {
      row = hn::And(hn::Xor(xs[i], hn::Xor(ys[j], zs[k])), row_mask);
    } else {
      // Only at the far faces of the box is the row beyond the last; it wraps.
      row = hn::Add(xs[i], hn::Add(ys[j], zs[k]));
      row = hn::Min(row, hn::Sub(row, rows));
    }
    hn::Store(row, du, corners->row[c]);
    hn::Store(hn::Mul(wx[i], hn::Mul(wy[j], wz[k])), d, corners->weight[c]);
  }
}

template <class T>
HWY_INLINE void PrefetchCorners(const Corners& corners,
                                size_t count,
                                const T* rows) {
  for (int c = 0; c < 8; ++c) {
    for (size_t i = 0; i < count; ++i) {
      hwy::Prefetch(rows + size_t{corners.row[c][i]} * kFeatures);
    }
  }
}

// Calls body(l, rows of level l, corners, first, count) for all points of all
// levels, a vector at a time; the rows of the next ones are already on their
// way from memory then.
template <class T, class Body>
HWY_INLINE void ForEachVector(const GridLevel* levels,
                              int level_count,
                              const Points& points,
                              size_t count,
                              T* table,
                              const Body& body) {
  const size_t lanes = hn::Lanes(FloatTag());
  const auto rows = [&](int l) HWY_ATTR {
    return table + size_t{levels[l].first_row} * kFeatures;
  };
  Corners corners[2];
  if (count == 0) return;
  FindCorners(levels[0], points, 0, &corners[0]);
  int now = 0;
  for (int l = 0; l < level_count; ++l) {
    for (size_t first = 0; first < count; first += lanes, now ^= 1) {
      const bool last = first + lanes >= count;
      const size_t next = last ? 0 : first + lanes;
      const int next_level = last ? l + 1 : l;
      if (next_level < level_count) {
        FindCorners(levels[next_level], points, next, &corners[now ^ 1]);
        PrefetchCorners(
            corners[now ^ 1], HWY_MIN(lanes, count - next), rows(next_level));
      }
      body(l, rows(l), corners[now], first, HWY_MIN(lanes, count - first));
    }
  }
}

using HalfTag = hn::Rebind<hwy::float16_t, RowTag>;
using HalfBitsTag = hn::Rebind<Half, RowTag>;

void RoundRowsT(const float* rows, size_t count, Half* halves) {
  for (size_t at = 0; at < count * kFeatures; at += kFeatures) {
    const auto half = hn::DemoteTo(HalfTag(), hn::LoadU(RowTag(), rows + at));
    hn::StoreU(hn::BitCast(HalfBitsTag(), half), HalfBitsTag(), halves + at);
  }
}

void EncodePointsT(const GridLevels& levels,
                   const Half* table,
                   const Points& points,
                   size_t count,
                   float* inputs) {
  const RowTag d;
  const auto body = [&](int l,
                        const Half* HWY_RESTRICT rows,
                        const Corners& corners,
                        size_t first,
                        size_t n) HWY_ATTR {
    float* HWY_RESTRICT out = inputs + l * kFeatures;
    for (size_t i = 0; i < n; ++i) {
      const auto row = [&](int c) HWY_ATTR {
        const auto bits = hn::LoadU(
            HalfBitsTag(), rows + size_t{corners.row[c][i]} * kFeatures);
        return hn::PromoteTo(d, hn::BitCast(HalfTag(), bits));
      };
      const auto weight = [&](int c) HWY_ATTR {
        return hn::Set(d, corners.weight[c][i]);
      };
      auto even = hn::Mul(row(0), weight(0));
      auto odd = hn::Mul(row(1), weight(1));
      for (int c = 2; c < 8; c += 2) {
        even = hn::MulAdd(row(c), weight(c), even);
        odd = hn::MulAdd(row(c + 1), weight(c + 1), odd);
      }
      hn::StoreU(hn::Add(even, odd), d, out + (first + i) * kInputs);
    }
  };
  ForEachVector(levels.data(), kLevels, points, count, table, body);
}

void ScatterLevelT(const GridLevel& level,
                   const Points& points,
                   const float* d_features,
                   size_t count,
                   float* gradients,
                   uint8_t* touched) {
  const RowTag d;
  GridLevel alone = level;
  alone.first_row = 0;
  const auto body = [&](int,
                        float* HWY_RESTRICT rows,
                        const Corners& corners,
                        size_t first,
                        size_t n) HWY_ATTR {
    for (size_t i = 0; i < n; ++i) {
      const auto slope = hn::LoadU(d, d_features + (first + i) * kFeatures);
      for (int c = 0; c < 8; ++c) {
        const size_t row = corners.row[c][i];
        float* at = rows + row * kFeatures;
        const auto weight = hn::Set(d, corners.weight[c][i]);
        hn::StoreU(hn::MulAdd(slope, weight, hn::LoadU(d, at)), d, at);
        touched[row / kRowsPerFlag] = 1;
      }
    }
  };
  ForEachVector(&alone, 1, points, count, gradients, body);
}

}  // namespace HWY_NAMESPACE
}  // namespace nerfpipe::nerf::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nerfpipe::nerf::kernels {
namespace {
HWY_EXPORT(RoundRowsT);
HWY_EXPORT(EncodePointsT);
HWY_EXPORT(ScatterLevelT);
}  // namespace

void RoundRows(const float* rows, size_t count, Half* halves) {
  HWY_DYNAMIC_DISPATCH(RoundRowsT)(rows, count, halves);
}

void EncodePoints(const GridLevels& levels,
                  const Half* table,
                  const Points& points,
                  size_t count,
                  float* inputs) {
  HWY_DYNAMIC_DISPATCH(EncodePointsT)(levels, table, points, count, inputs);
}

void ScatterLevel(const GridLevel& level,
                  const Points& points,
                  const float* d_features,
                  size_t count,
                  float* gradients,
                  uint8_t* touched) {
  HWY_DYNAMIC_DISPATCH(ScatterLevelT)
  (level, points, d_features, count, gradients, touched);
}

}  // namespace nerfpipe::nerf::kernels
#endif  // HWY_ONCE
