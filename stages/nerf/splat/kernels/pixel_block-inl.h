// Blocks of 4 x 4 pixels of a tile: coordinates, memory, and how opaque an
// ellipse is there. Included once per SIMD target, inside foreach_target.

#if defined(NERFPIPE_SPLAT_PIXEL_BLOCK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef NERFPIPE_SPLAT_PIXEL_BLOCK_INL_H_
#undef NERFPIPE_SPLAT_PIXEL_BLOCK_INL_H_
#else
#define NERFPIPE_SPLAT_PIXEL_BLOCK_INL_H_
#endif

#include "stages/nerf/splat/kernels/tile_entries-inl.h"
#include "stages/nerf/splat/kernels/tile_lists.h"

#include <cmath>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace nerfpipe::nerf::splat {
namespace HWY_NAMESPACE {

// 2^p where that is not too faint, else 0; at most 3e-6 of it off.
HWY_INLINE FloatVec OpacityOf(FloatVec p) {
  const FloatTag d;
  const hn::RebindToUnsigned<FloatTag> du;
  // Added to it, the nearest integer stands in the lowest bits.
  const FloatVec magic = Num(12582912.0f);
  const FloatVec shifted = hn::Add(p, magic);
  const FloatVec r = hn::Sub(p, hn::Sub(shifted, magic));
  FloatVec power = hn::MulAdd(Num(0.009570102f), r, Num(0.05591786f));
  power = hn::MulAdd(power, r, Num(0.24024745f));
  power = hn::MulAdd(power, r, Num(0.69312181f));
  power = hn::MulAdd(power, r, Num(0.99999926f));
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(du, shifted));
  const FloatVec result =
      hn::BitCast(d, hn::Add(hn::BitCast(du, power), exponent));
  return hn::IfThenElseZero(hn::Ge(p, Num(std::log2(kFaintest))), result);
}

// A block of 4 x 4 pixels of a tile, as kParts vectors.
struct PixelBlock {
  FloatVec x[kParts], y[kParts];
  size_t first;  // of its first pixel, in the planes
  size_t stride;

  HWY_INLINE PixelBlock(const TileLists& lists,
                        int tile,
                        int block,
                        size_t plane_stride)
      : stride(plane_stride) {
    const float left = static_cast<float>(block % 4 * 4) - kMiddle;
    const float top = static_cast<float>(block / 4 * 4) - kMiddle;
    HWY_ALIGN float xs[kPixels];
    HWY_ALIGN float ys[kPixels];
    for (int i = 0; i < kPixels; ++i) {
      xs[i] = left + static_cast<float>(i % 4);
      ys[i] = top + static_cast<float>(i / 4);
    }
    for (size_t part = 0; part < kParts; ++part) {
      x[part] = hn::Load(FloatTag(), xs + part * kLanes);
      y[part] = hn::Load(FloatTag(), ys + part * kLanes);
    }
    const size_t tile_x = tile % lists.tiles_x();
    const size_t tile_y = tile / lists.tiles_x();
    first = (tile_y * kTileSide + block / 4 * 4) * stride + tile_x * kTileSide +
            block % 4 * 4;
  }

  HWY_INLINE FloatVec Load(const float* plane, size_t part) const {
    return LoadParts(FloatTag(), [&](size_t k) {
      return plane + first + (part * kLanes / 4 + k) * stride;
    });
  }
  HWY_INLINE void Store(FloatVec v, float* plane, size_t part) const {
    StoreParts(FloatTag(), v, [&](size_t k) {
      return plane + first + (part * kLanes / 4 + k) * stride;
    });
  }
  HWY_INLINE FloatVec Opacity(const float* entry, size_t part) const {
    const FloatVec along_y =
        hn::MulAdd(Num(entry[kYY]), y[part], Num(entry[kY]));
    const FloatVec along_x =
        hn::MulAdd(Num(entry[kXX]),
                   x[part],
                   hn::MulAdd(Num(entry[kXY]), y[part], Num(entry[kX])));
    return OpacityOf(hn::MulAdd(
        along_x, x[part], hn::MulAdd(along_y, y[part], Num(entry[kOne]))));
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace nerfpipe::nerf::splat
HWY_AFTER_NAMESPACE();

#endif  // include guard
