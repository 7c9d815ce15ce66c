#include "stages/nerf/splat/kernels/raster_gradient.h"

#include <algorithm>
#include <bit>
#include <iterator>

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

// Sums over the pixels of a tile, by entry: of g times 1, x, y, xx, xy, yy from
// the middle of the tile, two zeros, then of the weight times what the colours
// and the error of a pixel say.
inline constexpr size_t kMoments = 8;
inline constexpr size_t kColours = 4;
inline constexpr size_t kSums = 16;  // a line of the cache
static_assert(kSums >= kMoments + kColours);

using MomentTag = hn::CappedTag<float, kMoments>;
inline constexpr size_t kMomentLanes = hn::MaxLanes(MomentTag());
inline constexpr size_t kMomentParts = kMoments / kMomentLanes;

// By block and pixel, what g is multiplied with.
struct MomentTable {
  HWY_ALIGN float rows[kBlocks][kPixels][kMoments] = {};

  MomentTable() {
    for (int block = 0; block < kBlocks; ++block) {
      for (int p = 0; p < kPixels; ++p) {
        const float x = static_cast<float>(block % 4 * 4 + p % 4) - kMiddle;
        const float y = static_cast<float>(block / 4 * 4 + p / 4) - kMiddle;
        const float row[] = {1, x, y, x * x, x * y, y * y};
        std::copy(std::begin(row), std::end(row), rows[block][p]);
      }
    }
  }
};

// Some entries, and what the pixels of a block say of each.
struct Pending {
  static constexpr size_t kMost = 4;  // as many as registers hold the sums of

  HWY_ALIGN float exponent[kMost][kPixels];
  HWY_ALIGN float weight[kMost][kPixels];
  float* sums[kMost];
  size_t count = 0;
  HWY_ALIGN float nobody[kSums] = {};
};

// Adds what is pending to the sums of its entries: each a product of a row with
// a matrix of 16 rows, so that nothing is transposed.
HWY_INLINE void Flush(const float (*moments)[kMoments],
                      const float (*pixels)[kColours],
                      Pending* pending) {
  const MomentTag dm;
  const FourTag d4;
  for (size_t i = pending->count; i < Pending::kMost; ++i) {
    std::fill_n(pending->exponent[i], kPixels, 0.0f);
    std::fill_n(pending->weight[i], kPixels, 0.0f);
    pending->sums[i] = pending->nobody;
  }
  hn::Vec<MomentTag> moment[Pending::kMost][kMomentParts];
  hn::Vec<FourTag> colour[Pending::kMost];
  for (size_t i = 0; i < Pending::kMost; ++i) {
    for (size_t k = 0; k < kMomentParts; ++k) {
      moment[i][k] = hn::Load(dm, pending->sums[i] + k * kMomentLanes);
    }
    colour[i] = hn::Load(d4, pending->sums[i] + kMoments);
  }
  for (int p = 0; p < kPixels; ++p) {
    hn::Vec<MomentTag> by[kMomentParts];
    for (size_t k = 0; k < kMomentParts; ++k) {
      by[k] = hn::Load(dm, moments[p] + k * kMomentLanes);
    }
    const auto pixel = hn::Load(d4, pixels[p]);
    for (size_t i = 0; i < Pending::kMost; ++i) {
      const auto g = hn::Set(dm, pending->exponent[i][p]);
      for (size_t k = 0; k < kMomentParts; ++k) {
        moment[i][k] = hn::MulAdd(g, by[k], moment[i][k]);
      }
      colour[i] =
          hn::MulAdd(hn::Set(d4, pending->weight[i][p]), pixel, colour[i]);
    }
  }
  for (size_t i = 0; i < Pending::kMost; ++i) {
    for (size_t k = 0; k < kMomentParts; ++k) {
      hn::Store(moment[i][k], dm, pending->sums[i] + k * kMomentLanes);
    }
    hn::Store(colour[i], d4, pending->sums[i] + kMoments);
  }
  pending->count = 0;
}

HWY_INLINE void DifferentiateBlock(const PixelBlock& block,
                                   const float (*moments)[kMoments],
                                   const float* entries,
                                   const uint16_t* masks,
                                   size_t sixteens,
                                   const Planes& picture,
                                   const PixelGradients& gradients,
                                   float* sums,
                                   Pending* pending) {
  const FloatTag d;
  HWY_ALIGN float pixels[kPixels][kColours];
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
    }
    const FloatVec fields[4] = {by_colour[0][part],
                                by_colour[1][part],
                                by_colour[2][part],
                                block.Load(gradients.error, part)};
    StoreFields(fields,
                [&](size_t lane) { return pixels[part * kLanes + lane]; });
  }
  for (size_t n = 0; n < sixteens; ++n) {
    for (uint32_t bits = masks[n * kBlocks]; bits != 0; bits &= bits - 1) {
      const size_t i = n * kBlock + std::countr_zero(bits);
      const float* entry = entries + i * kEntry;
      const size_t at = pending->count++;
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
        hn::Store(exponent, d, pending->exponent[at] + part * kLanes);
        hn::Store(weight, d, pending->weight[at] + part * kLanes);
        through[part] = hn::Sub(through[part], weight);
      }
      pending->sums[at] = sums + i * kSums;
      if (pending->count == Pending::kMost) Flush(moments, pixels, pending);
    }
  }
  if (pending->count > 0) Flush(moments, pixels, pending);
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
  static const MomentTable moments;
  Pending pending;
  for (int b = 0; b < kBlocks; ++b) {
    const PixelBlock block(lists, tile, b, picture.stride);
    DifferentiateBlock(block,
                       moments.rows[b],
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
    out.red = s[kMoments];
    out.green = s[kMoments + 1];
    out.blue = s[kMoments + 2];
    out.error = s[kMoments + 3];
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
