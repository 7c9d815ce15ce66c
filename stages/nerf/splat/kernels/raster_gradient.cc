#include "stages/nerf/splat/kernels/raster_gradient.h"

#include <algorithm>
#include <bit>

// The order matters: foreach_target.h reads this file once per SIMD level.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "stages/nerf/splat/kernels/raster_gradient.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "stages/nerf/splat/kernels/pixel_block-inl.h"
#include "stages/nerf/splat/kernels/tile_entries-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace nerfpipe::nerf::splat {
namespace HWY_NAMESPACE {

// Sums over the pixels of a tile, by entry: of g times 1, x, y, xx, xy, yy,
// then as in EllipseGradient.
inline constexpr size_t kSums = 12;

// As many entries as there are lanes, and what the pixels of a block say of
// them, 16 floats an entry.
struct Pending {
  HWY_ALIGN float exponent[kLanes * kPixels];
  HWY_ALIGN float weight[kLanes * kPixels];
  float* sums[kLanes];
  size_t count = 0;
};

struct BlockOrigin {
  float x, y;  // of its first pixel
};

// out[p] lanes: pixel p of each entry.
HWY_INLINE void TransposePending(const float* in, FloatVec out[kPixels]) {
  for (size_t p = 0; p < kPixels; p += 4) {
    LoadFields([&](size_t lane) { return in + lane * kPixels + p; }, out + p);
  }
}

// Adds what is pending to the sums of its entries. `pixels` has the three
// derivatives and the error of each pixel.
HWY_INLINE void Flush(const float (*pixels)[kPixels],
                      BlockOrigin origin,
                      Pending* pending) {
  for (size_t i = pending->count; i < kLanes; ++i) {
    std::fill_n(pending->exponent + i * kPixels, kPixels, 0.0f);
    std::fill_n(pending->weight + i * kPixels, kPixels, 0.0f);
  }
  FloatVec g[kPixels];
  TransposePending(pending->exponent, g);
  // Of a row of the block: sums of g, g i and g i^2, i = 0 to 3.
  FloatVec row[4], row_x[4], row_xx[4];
  for (int y = 0; y < 4; ++y) {
    const FloatVec* v = g + 4 * y;
    row[y] = hn::Add(hn::Add(v[0], v[1]), hn::Add(v[2], v[3]));
    row_x[y] = hn::MulAdd(Num(3), v[3], hn::MulAdd(Num(2), v[2], v[1]));
    row_xx[y] = hn::MulAdd(Num(9), v[3], hn::MulAdd(Num(4), v[2], v[1]));
  }
  const auto sum = [](const FloatVec v[4]) HWY_ATTR {
    return hn::Add(hn::Add(v[0], v[1]), hn::Add(v[2], v[3]));
  };
  const auto moment = [](const FloatVec v[4]) HWY_ATTR {
    return hn::MulAdd(Num(3), v[3], hn::MulAdd(Num(2), v[2], v[1]));
  };
  const FloatVec s = sum(row);
  const FloatVec sx = sum(row_x);
  const FloatVec sy = moment(row);
  const FloatVec syy =
      hn::MulAdd(Num(9), row[3], hn::MulAdd(Num(4), row[2], row[1]));
  const FloatVec ox = Num(origin.x), oy = Num(origin.y);
  // From the middle of the tile.
  const FloatVec tx = hn::MulAdd(ox, s, sx);
  const FloatVec ty = hn::MulAdd(oy, s, sy);
  const FloatVec txx = hn::MulAdd(ox, hn::Add(sx, tx), sum(row_xx));
  const FloatVec txy = hn::MulAdd(ox, sy, hn::MulAdd(oy, tx, moment(row_x)));
  const FloatVec tyy = hn::MulAdd(oy, hn::Add(sy, ty), syy);

  FloatVec w[kPixels];
  TransposePending(pending->weight, w);
  FloatVec colour[4] = {Num(0), Num(0), Num(0), Num(0)};
  for (int p = 0; p < kPixels; ++p) {
    for (int c = 0; c < 4; ++c) {
      colour[c] = hn::MulAdd(w[p], Num(pixels[c][p]), colour[c]);
    }
  }
  FloatVec fields[3][4] = {{s, tx, ty, txx},
                           {txy, tyy, colour[0], colour[1]},
                           {colour[2], colour[3], Num(0), Num(0)}};
  const FourTag d4;
  for (int f = 0; f < 3; ++f) {
    TransposeParts(fields[f]);
    for (size_t i = 0; i < 4; ++i) {
      HWY_ALIGN float parts[kLanes];
      hn::Store(fields[f][i], FloatTag(), parts);
      for (size_t k = 0; k < kLanes / 4; ++k) {
        if (4 * k + i >= pending->count) continue;
        float* at = pending->sums[4 * k + i] + 4 * f;
        hn::Store(
            hn::Add(hn::Load(d4, at), hn::Load(d4, parts + 4 * k)), d4, at);
      }
    }
  }
  pending->count = 0;
}

HWY_INLINE void DifferentiateBlock(const PixelBlock& block,
                                   BlockOrigin origin,
                                   const float* entries,
                                   const uint16_t* masks,
                                   size_t sixteens,
                                   const Planes& picture,
                                   const PixelGradients& gradients,
                                   float* sums,
                                   Pending* pending) {
  const FloatTag d;
  HWY_ALIGN float pixels[4][kPixels];
  FloatVec by_colour[3][kParts];
  FloatVec through[kParts];
  // Colour that is still to come times its derivative.
  FloatVec behind[kParts];
  for (size_t part = 0; part < kParts; ++part) {
    through[part] = Num(1);
    behind[part] = Num(0);
    for (int c = 0; c < 3; ++c) {
      by_colour[c][part] = block.Load(gradients.colour[c], part);
      behind[part] = hn::MulAdd(block.Load(picture.colour[c], part),
                                by_colour[c][part],
                                behind[part]);
      hn::Store(by_colour[c][part], d, pixels[c] + part * kLanes);
    }
    hn::Store(block.Load(gradients.error, part), d, pixels[3] + part * kLanes);
  }
  for (size_t n = 0; n < sixteens; ++n) {
    for (uint32_t bits = masks[n * kBlocks]; bits != 0; bits &= bits - 1) {
      const size_t i = n * kBlock + std::countr_zero(bits);
      const float* entry = entries + i * kEntry;
      const size_t at = pending->count * kPixels;
      for (size_t part = 0; part < kParts; ++part) {
        const FloatVec opacity = block.Opacity(entry, part);
        const FloatVec weight = hn::Mul(opacity, through[part]);
        const FloatVec along = hn::MulAdd(
            Num(entry[kRed]),
            by_colour[0][part],
            hn::MulAdd(Num(entry[kGreen]),
                       by_colour[1][part],
                       hn::Mul(Num(entry[kBlue]), by_colour[2][part])));
        behind[part] = hn::NegMulAdd(weight, along, behind[part]);
        // opacity * (through * along - behind / (1 - opacity))
        const FloatVec exponent = hn::MulSub(
            weight,
            along,
            hn::Mul(opacity, hn::Div(behind[part], hn::Sub(Num(1), opacity))));
        hn::Store(exponent, d, pending->exponent + at + part * kLanes);
        hn::Store(weight, d, pending->weight + at + part * kLanes);
        through[part] = hn::Sub(through[part], weight);
      }
      pending->sums[pending->count++] = sums + i * kSums;
      if (pending->count == kLanes) Flush(pixels, origin, pending);
    }
  }
  if (pending->count > 0) Flush(pixels, origin, pending);
}

void DifferentiateTileT(const Ellipse* ellipses,
                        const TileLists& lists,
                        int tile,
                        const RasterRecord& record,
                        const Planes& picture,
                        const PixelGradients& pixels,
                        TileScratch* scratch,
                        EllipseGradient* gradients) {
  const size_t count = lists.count(tile);
  const size_t sixteens = (count + kBlock - 1) / kBlock;
  scratch->entries.Reserve(sixteens * kBlock * kEntry);
  scratch->sums.Reserve(sixteens * kBlock * kSums);
  float* entries = scratch->entries.data();
  float* sums = scratch->sums.data();
  std::fill_n(sums, sixteens * kBlock * kSums, 0.0f);
  ForEachVector(
      ellipses, lists, tile, [&](size_t i, const EllipseVector& e) HWY_ATTR {
        StoreEntries(e, entries + i * kEntry);
      });
  Pending pending;
  for (int b = 0; b < kBlocks; ++b) {
    const PixelBlock block(lists, tile, b, picture.stride);
    DifferentiateBlock(block,
                       {static_cast<float>(b % 4 * 4) - kMiddle,
                        static_cast<float>(b / 4 * 4) - kMiddle},
                       entries,
                       record.masks(tile) + b,
                       record.looked(tile)[b],
                       picture,
                       pixels,
                       sums,
                       &pending);
  }
  // From sums about the middle of the tile to such about the ellipses.
  const Middle middle(lists, tile);
  const TileEntry* list = lists.entries(tile);
  for (size_t i = 0; i < count; ++i) {
    const Ellipse& ellipse = ellipses[list[i].gaussian];
    const float x = ellipse.x - middle.x;
    const float y = ellipse.y - middle.y;
    const float* s = sums + i * kSums;
    EllipseGradient& out = gradients[list[i].slot];
    out.g = s[0];
    out.gu = s[1] - x * s[0];
    out.gv = s[2] - y * s[0];
    out.guu = s[3] - x * (s[1] + out.gu);
    out.guv = s[4] - x * s[2] - y * out.gu;
    out.gvv = s[5] - y * (s[2] + out.gv);
    out.red = s[6];
    out.green = s[7];
    out.blue = s[8];
    out.error = s[9];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace nerfpipe::nerf::splat
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nerfpipe::nerf::splat {
namespace {
HWY_EXPORT(DifferentiateTileT);
}  // namespace

void DifferentiateTile(const Ellipse* ellipses,
                       const TileLists& lists,
                       int tile,
                       const RasterRecord& record,
                       const Planes& picture,
                       const PixelGradients& pixels,
                       TileScratch* scratch,
                       EllipseGradient* gradients) {
  HWY_DYNAMIC_DISPATCH(DifferentiateTileT)
  (ellipses, lists, tile, record, picture, pixels, scratch, gradients);
}

}  // namespace nerfpipe::nerf::splat
#endif  // HWY_ONCE
