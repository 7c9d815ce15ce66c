#include "stages/nerf/splat/kernels/raster_gradient.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <type_traits>

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
// and the error of a pixel say. With 16 lanes both come in parts, of every
// second and of every fourth pixel.
inline constexpr bool kWide = kLanes == 16;
inline constexpr size_t kMoments = 8;
inline constexpr size_t kColours = 4;
inline constexpr size_t kFirstColour = kWide ? 16 : kMoments;
inline constexpr size_t kSums = kWide ? 32 : 16;  // whole lines of the cache

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

// Adds what the pixels of a block say of an entry to its sums: products of a
// row with matrices of 16 rows, so that nothing is transposed.
class WideSums {
 public:
  WideSums(const float (*moments)[kMoments], const float (*pixels)[kColours]) {
    const FloatTag d;
    HWY_ALIGN int32_t lanes[kPixels];
    for (int k = 0; k < 8; ++k) {
      for (int lane = 0; lane < 16; ++lane) lanes[lane] = 2 * k + lane / 8;
      pair_[k] = hn::SetTableIndices(d, lanes);
      moments_[k] = hn::Load(d, moments[2 * k]);
    }
    for (int k = 0; k < 4; ++k) {
      for (int lane = 0; lane < 16; ++lane) lanes[lane] = 4 * k + lane / 4;
      four_[k] = hn::SetTableIndices(d, lanes);
      pixels_[k] = hn::Load(d, pixels[4 * k]);
    }
  }

  HWY_INLINE void Add(const FloatVec exponent[1],
                      const FloatVec weight[1],
                      float* sums) {
    const FloatTag d;
    FloatVec moments = hn::Load(d, sums);
    FloatVec colours = hn::Load(d, sums + kFirstColour);
    for (int k = 0; k < 8; ++k) {
      moments = hn::MulAdd(
          hn::TableLookupLanes(exponent[0], pair_[k]), moments_[k], moments);
    }
    for (int k = 0; k < 4; ++k) {
      colours = hn::MulAdd(
          hn::TableLookupLanes(weight[0], four_[k]), pixels_[k], colours);
    }
    hn::Store(moments, d, sums);
    hn::Store(colours, d, sums + kFirstColour);
  }

  HWY_INLINE void Finish() {}

  // The parts together.
  static HWY_INLINE void Fold(float* sums) {
    for (size_t i = 0; i < kMoments; ++i) sums[i] += sums[kMoments + i];
    float* colours = sums + kFirstColour;
    for (size_t i = 0; i < kColours; ++i) {
      colours[i] = (colours[i] + colours[kColours + i]) +
                   (colours[2 * kColours + i] + colours[3 * kColours + i]);
    }
  }

 private:
  using Indices = decltype(hn::SetTableIndices(FloatTag(), (int32_t*)nullptr));
  Indices pair_[8], four_[4];
  FloatVec moments_[8], pixels_[4];
};

// The same with fewer lanes, for some entries at once, so that the matrices are
// loaded less often.
class NarrowSums {
 public:
  NarrowSums(const float (*moments)[kMoments], const float (*pixels)[kColours])
      : moments_(moments), pixels_(pixels) {}

  HWY_INLINE void Add(const FloatVec exponent[kParts],
                      const FloatVec weight[kParts],
                      float* sums) {
    const FloatTag d;
    for (size_t part = 0; part < kParts; ++part) {
      hn::Store(exponent[part], d, exponent_[count_] + part * kLanes);
      hn::Store(weight[part], d, weight_[count_] + part * kLanes);
    }
    sums_[count_++] = sums;
    if (count_ == kMost) Flush();
  }

  HWY_INLINE void Finish() {
    if (count_ == 0) return;
    for (size_t i = count_; i < kMost; ++i) {
      std::fill_n(exponent_[i], kPixels, 0.0f);
      std::fill_n(weight_[i], kPixels, 0.0f);
      sums_[i] = nobody_;
    }
    Flush();
  }

  static HWY_INLINE void Fold(float*) {}

 private:
  HWY_INLINE void Flush() {
    const MomentTag dm;
    const FourTag d4;
    hn::Vec<MomentTag> moment[kMost][kMomentParts];
    hn::Vec<FourTag> colour[kMost];
    for (size_t i = 0; i < kMost; ++i) {
      for (size_t k = 0; k < kMomentParts; ++k) {
        moment[i][k] = hn::Load(dm, sums_[i] + k * kMomentLanes);
      }
      colour[i] = hn::Load(d4, sums_[i] + kFirstColour);
    }
    for (int p = 0; p < kPixels; ++p) {
      hn::Vec<MomentTag> by[kMomentParts];
      for (size_t k = 0; k < kMomentParts; ++k) {
        by[k] = hn::Load(dm, moments_[p] + k * kMomentLanes);
      }
      const auto pixel = hn::Load(d4, pixels_[p]);
      for (size_t i = 0; i < kMost; ++i) {
        const auto g = hn::Set(dm, exponent_[i][p]);
        for (size_t k = 0; k < kMomentParts; ++k) {
          moment[i][k] = hn::MulAdd(g, by[k], moment[i][k]);
        }
        colour[i] = hn::MulAdd(hn::Set(d4, weight_[i][p]), pixel, colour[i]);
      }
    }
    for (size_t i = 0; i < kMost; ++i) {
      for (size_t k = 0; k < kMomentParts; ++k) {
        hn::Store(moment[i][k], dm, sums_[i] + k * kMomentLanes);
      }
      hn::Store(colour[i], d4, sums_[i] + kFirstColour);
    }
    count_ = 0;
  }

  static constexpr size_t kMost = 4;  // as many as registers hold the sums of
  const float (*moments_)[kMoments];
  const float (*pixels_)[kColours];
  HWY_ALIGN float exponent_[kMost][kPixels];
  HWY_ALIGN float weight_[kMost][kPixels];
  HWY_ALIGN float nobody_[kSums] = {};
  float* sums_[kMost];
  size_t count_ = 0;
};

using BlockSums = std::conditional_t<kWide, WideSums, NarrowSums>;

HWY_INLINE void DifferentiateBlock(const PixelBlock& block,
                                   const float (*moments)[kMoments],
                                   const float* entries,
                                   const uint16_t* masks,
                                   size_t sixteens,
                                   const Planes& picture,
                                   const PixelGradients& gradients,
                                   float* sums) {
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
  BlockSums block_sums(moments, pixels);
  for (size_t n = 0; n < sixteens; ++n) {
    for (uint32_t bits = masks[n * kBlocks]; bits != 0; bits &= bits - 1) {
      const size_t i = n * kBlock + std::countr_zero(bits);
      const float* entry = entries + i * kEntry;
      FloatVec exponent[kParts], weight[kParts];
      for (size_t part = 0; part < kParts; ++part) {
        const FloatVec opacity = block.Opacity(entry, part);
        weight[part] = hn::Mul(opacity, through[part]);
        const FloatVec along = hn::MulAdd(
            Num(entry[kRed]),
            by_colour[0][part],
            hn::MulAdd(Num(entry[kGreen]),
                       by_colour[1][part],
                       hn::Mul(Num(entry[kBlue]), by_colour[2][part])));
        behind[part] = hn::NegMulAdd(weight[part], along, behind[part]);
        // opacity * (through * along - behind / (1 - opacity))
        exponent[part] = hn::MulSub(
            weight[part],
            along,
            hn::Mul(opacity, hn::Div(behind[part], hn::Sub(Num(1), opacity))));
        through[part] = hn::Sub(through[part], weight[part]);
      }
      block_sums.Add(exponent, weight, sums + i * kSums);
    }
  }
  block_sums.Finish();
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
  for (int b = 0; b < kBlocks; ++b) {
    const PixelBlock block(lists, tile, b, picture.stride);
    DifferentiateBlock(block,
                       moments.rows[b],
                       entries,
                       record.masks(tile) + b,
                       record.looked(tile)[b],
                       picture,
                       pixels,
                       sums);
  }
  // From sums about the middle of the tile to such about the ellipses.
  const Middle middle(lists, tile);
  const TileEntry* list = lists.entries(tile);
  for (size_t i = 0; i < count; ++i) {
    const Ellipse& ellipse = ellipses[list[i].gaussian];
    const float x = ellipse.x - middle.x;
    const float y = ellipse.y - middle.y;
    float* s = sums + i * kSums;
    BlockSums::Fold(s);
    EllipseGradient& out = gradients[list[i].slot];
    out.g = s[0];
    out.gu = s[1] - x * s[0];
    out.gv = s[2] - y * s[0];
    out.guu = s[3] - x * (s[1] + out.gu);
    out.guv = s[4] - x * s[2] - y * out.gu;
    out.gvv = s[5] - y * (s[2] + out.gv);
    out.red = s[kFirstColour];
    out.green = s[kFirstColour + 1];
    out.blue = s[kFirstColour + 2];
    out.error = s[kFirstColour + 3];
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
