// What the pixels of a tile have to know of its ellipses, and which blocks of
// pixels each one reaches. Included once per SIMD target, inside
// foreach_target.

#if defined(NERFPIPE_SPLAT_TILE_ENTRIES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef NERFPIPE_SPLAT_TILE_ENTRIES_INL_H_
#undef NERFPIPE_SPLAT_TILE_ENTRIES_INL_H_
#else
#define NERFPIPE_SPLAT_TILE_ENTRIES_INL_H_
#endif

#include "stages/nerf/splat/kernels/projection.h"
#include "stages/nerf/splat/kernels/records-inl.h"
#include "stages/nerf/splat/kernels/tile_lists.h"

#include <algorithm>
#include <cmath>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace nerfpipe::nerf::splat {
namespace HWY_NAMESPACE {

inline constexpr int kPixels = 16;  // of a block of 4 x 4
inline constexpr int kBlocks = 16;  // of a tile
// Coordinates have their origin in the middle of the tile.
inline constexpr float kMiddle = 0.5f * (kTileSide - 1);

// What a pixel has to know of an ellipse: the exponent as a polynomial of
// (x, y), and the colour.
inline constexpr size_t kEntry = 12;
enum EntryField { kOne, kX, kY, kXX, kXY, kYY, kRed, kGreen, kBlue, kDepth };

struct Middle {
  float x, y;

  Middle(const TileLists& lists, int tile)
      : x(static_cast<float>(tile % lists.tiles_x() * kTileSide) + kMiddle),
        y(static_cast<float>(tile / lists.tiles_x() * kTileSide) + kMiddle) {}
};

// As many ellipses as there are lanes, coordinates from the middle of a tile.
struct EllipseVector {
  FloatVec x, y, xx, xy, yy, peak, red, green, blue, ridge_x, ridge_y, depth;
};

HWY_INLINE EllipseVector LoadEllipses(const Ellipse* ellipses,
                                      const TileEntry* entries,
                                      size_t count,
                                      const Middle& middle) {
  // Beyond the end the last one comes again.
  const auto field = [&](float Ellipse::*first, FloatVec out[4]) HWY_ATTR {
    LoadFields(
        [&](size_t lane) {
          const size_t i = std::min(lane, count - 1);
          return &(ellipses[entries[i].gaussian].*first);
        },
        out);
  };
  FloatVec a[4], b[4], c[4];
  field(&Ellipse::x, a);
  field(&Ellipse::yy, b);
  field(&Ellipse::blue, c);
  return {hn::Sub(a[0], Num(middle.x)),
          hn::Sub(a[1], Num(middle.y)),
          a[2],
          a[3],
          b[0],
          b[1],
          b[2],
          b[3],
          c[0],
          c[1],
          c[2],
          c[3]};
}

HWY_INLINE void StoreEntries(const EllipseVector& e, float* out) {
  const auto record = [&](size_t field) {
    return [out, field](size_t lane) { return out + lane * kEntry + field; };
  };
  const FloatVec along = hn::MulAdd(e.xx, e.x, hn::Mul(e.xy, e.y));
  const FloatVec constant =
      hn::MulAdd(e.x, along, hn::MulAdd(hn::Mul(e.yy, e.y), e.y, e.peak));
  const FloatVec x = hn::Neg(hn::MulAdd(e.xx, e.x, along));
  const FloatVec y =
      hn::Neg(hn::MulAdd(hn::Add(e.yy, e.yy), e.y, hn::Mul(e.xy, e.x)));
  const FloatVec first[4] = {constant, x, y, e.xx};
  const FloatVec second[4] = {e.xy, e.yy, e.red, e.green};
  const FloatVec third[4] = {e.blue, e.depth, Num(0), Num(0)};
  StoreFields(first, record(0));
  StoreFields(second, record(4));
  StoreFields(third, record(8));
}

// For each block of pixels a mask of those ellipses that are not too faint in
// some place of it. The densest place of a box lies on the ridge of its nearest
// side, or in the box.
HWY_INLINE void MaskBlocks(const EllipseVector& e,
                           size_t at,
                           size_t count,
                           uint16_t* masks) {
  const FloatTag d;
  const FloatVec threshold = hn::Sub(Num(std::log2(kFaintest)), e.peak);
  const auto low = [](int k) { return 4.0f * k - kMiddle; };
  const auto clamp = [&](FloatVec v, int k) HWY_ATTR {
    return hn::Min(hn::Max(v, Num(low(k))), Num(low(k) + 3));
  };
  // By column of blocks: the nearest x, the ridge's y there, and parts of the
  // exponent; by row likewise.
  FloatVec ridge_y[4], square_x[4], cross_x[4];
  FloatVec ridge_x[4], square_y[4], cross_y[4];
  for (int k = 0; k < 4; ++k) {
    const FloatVec dx = hn::Sub(clamp(e.x, k), e.x);
    const FloatVec dy = hn::Sub(clamp(e.y, k), e.y);
    ridge_y[k] = hn::MulAdd(e.ridge_y, dx, e.y);
    square_x[k] = hn::Mul(hn::Mul(e.xx, dx), dx);
    cross_x[k] = hn::Mul(e.xy, dx);
    ridge_x[k] = hn::MulAdd(e.ridge_x, dy, e.x);
    square_y[k] = hn::Mul(hn::Mul(e.yy, dy), dy);
    cross_y[k] = hn::Mul(e.xy, dy);
  }
  const uint32_t there = count >= kLanes ? 0xffffu : (1u << count) - 1;
  for (int row = 0; row < 4; ++row) {
    for (int column = 0; column < 4; ++column) {
      const FloatVec dy = hn::Sub(clamp(ridge_y[column], row), e.y);
      const FloatVec dx = hn::Sub(clamp(ridge_x[row], column), e.x);
      const FloatVec beside = hn::MulAdd(
          dy, hn::MulAdd(e.yy, dy, cross_x[column]), square_x[column]);
      const FloatVec above =
          hn::MulAdd(dx, hn::MulAdd(e.xx, dx, cross_y[row]), square_y[row]);
      uint8_t bytes[8] = {};
      hn::StoreMaskBits(d, hn::Ge(hn::Max(beside, above), threshold), bytes);
      const uint32_t bits =
          (bytes[0] | static_cast<uint32_t>(bytes[1]) << 8) & there;
      masks[4 * row + column] |= static_cast<uint16_t>(bits << at);
    }
  }
}

// Calls `f` with the entries of a tile, a vector at a time, in order.
template <class F>
HWY_INLINE void ForEachVector(const Ellipse* ellipses,
                              const TileLists& lists,
                              int tile,
                              const F& f) {
  const TileEntry* entries = lists.entries(tile);
  const size_t count = lists.count(tile);
  const Middle middle(lists, tile);
  for (size_t i = 0; i < count; i += kLanes) {
    constexpr size_t kAhead = 2 * kBlock;
    for (size_t k = i + kAhead; k < std::min(count, i + kAhead + kLanes); ++k) {
      __builtin_prefetch(&ellipses[entries[k].gaussian]);
    }
    f(i, LoadEllipses(ellipses, entries + i, count - i, middle));
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace nerfpipe::nerf::splat
HWY_AFTER_NAMESPACE();

#endif  // include guard
