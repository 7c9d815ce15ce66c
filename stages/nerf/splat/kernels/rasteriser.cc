#include "stages/nerf/splat/kernels/rasteriser.h"

#include <algorithm>
#include <bit>

// The order matters: foreach_target.h reads this file once per SIMD level.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "stages/nerf/splat/kernels/rasteriser.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "stages/nerf/splat/kernels/pixel_block-inl.h"
#include "stages/nerf/splat/kernels/tile_entries-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace nerfpipe::nerf::splat {
namespace HWY_NAMESPACE {

template <bool kWithDepth>
HWY_INLINE void RasteriseBlock(const PixelBlock& block,
                               const float* entries,
                               const uint16_t* masks,
                               size_t sixteens,
                               const RasterRules& rules,
                               const Planes& picture,
                               uint16_t* looked) {
  const FloatTag d;
  constexpr int kSums = kWithDepth ? 4 : 3;
  FloatVec through[kParts];
  FloatVec sums[kSums][kParts];
  for (size_t part = 0; part < kParts; ++part) {
    through[part] = Num(1);
    for (auto& sum : sums) sum[part] = Num(0);
  }
  size_t n = 0;
  while (n < sixteens) {
    uint32_t bits = masks[n * kBlocks];
    const float* sixteen = entries + n * kBlock * kEntry;
    ++n;
    if (bits == 0) continue;
    for (; bits != 0; bits &= bits - 1) {
      const float* entry = sixteen + std::countr_zero(bits) * kEntry;
      for (size_t part = 0; part < kParts; ++part) {
        const FloatVec weight =
            hn::Mul(block.Opacity(entry, part), through[part]);
        for (int c = 0; c < kSums; ++c) {
          sums[c][part] =
              hn::MulAdd(weight, Num(entry[kRed + c]), sums[c][part]);
        }
        through[part] = hn::Sub(through[part], weight);
      }
    }
    FloatVec most = through[0];
    for (size_t part = 1; part < kParts; ++part) {
      most = hn::Max(most, through[part]);
    }
    if (hn::AllTrue(d, hn::Lt(most, Num(rules.stop_transmittance)))) break;
  }
  *looked = static_cast<uint16_t>(n);
  for (size_t part = 0; part < kParts; ++part) {
    for (int c = 0; c < 3; ++c) {
      block.Store(
          hn::MulAdd(through[part], Num(rules.background[c]), sums[c][part]),
          picture.colour[c],
          part);
    }
    if constexpr (kWithDepth) {
      block.Store(sums[3][part], picture.depth, part);
      block.Store(hn::Sub(Num(1), through[part]), picture.opacity, part);
    }
  }
}

void RasteriseTileT(const Ellipse* ellipses,
                    const TileLists& lists,
                    int tile,
                    const RasterRules& rules,
                    RasterRecord* record,
                    TileScratch* scratch,
                    const Planes& picture) {
  const size_t count = lists.count(tile);
  const size_t sixteens = (count + kBlock - 1) / kBlock;
  scratch->entries.Reserve(sixteens * kBlock * kEntry);
  float* entries = scratch->entries.data();
  uint16_t* masks = record->masks(tile);
  std::fill_n(masks, sixteens * kBlocks, uint16_t{0});
  ForEachVector(
      ellipses, lists, tile, [&](size_t i, const EllipseVector& e) HWY_ATTR {
        MaskBlocks(e, i % kBlock, count - i, masks + i / kBlock * kBlocks);
        StoreEntries(e, entries + i * kEntry);
      });
  for (int b = 0; b < kBlocks; ++b) {
    const PixelBlock block(lists, tile, b, picture.stride);
    const auto rasterise =
        picture.depth != nullptr ? RasteriseBlock<true> : RasteriseBlock<false>;
    rasterise(block,
              entries,
              masks + b,
              sixteens,
              rules,
              picture,
              record->looked(tile) + b);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace nerfpipe::nerf::splat
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nerfpipe::nerf::splat {
namespace {
HWY_EXPORT(RasteriseTileT);
}  // namespace

void RasterRecord::Reserve(const TileLists& lists) {
  const int tiles = lists.tiles();
  first_.resize(tiles + 1);
  for (int tile = 0; tile < tiles; ++tile) {
    first_[tile + 1] = first_[tile] + (lists.count(tile) + kBlock - 1) / kBlock;
  }
  masks_.Reserve(first_[tiles] * 16);
  looked_.resize(static_cast<size_t>(tiles) * 16);
}

void RasteriseTile(const Ellipse* ellipses,
                   const TileLists& lists,
                   int tile,
                   const RasterRules& rules,
                   RasterRecord* record,
                   TileScratch* scratch,
                   const Planes& picture) {
  HWY_DYNAMIC_DISPATCH(RasteriseTileT)
  (ellipses, lists, tile, rules, record, scratch, picture);
}

}  // namespace nerfpipe::nerf::splat
#endif  // HWY_ONCE
