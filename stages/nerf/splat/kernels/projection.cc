#include "stages/nerf/splat/kernels/projection.h"

#include <algorithm>
#include <cmath>

// The order matters: foreach_target.h reads this file once per SIMD level.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "stages/nerf/splat/kernels/projection.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "stages/nerf/splat/kernels/harmonics-inl.h"
#include "stages/nerf/splat/kernels/projection-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace nerfpipe::nerf::splat {
namespace HWY_NAMESPACE {

inline constexpr float kLog2E = 1.44269504089f;
inline constexpr float kLn2 = 0.69314718056f;

struct Picture {
  const PinholeView& view;
  int tiles_x, tiles_y;

  explicit Picture(const PinholeView& v)
      : view(v), tiles_x(TilesAlong(v.width)), tiles_y(TilesAlong(v.height)) {}
};

// Bits of a mask, lane 0 lowest.
HWY_INLINE uint32_t BitsOf(FloatMask mask) {
  uint8_t bytes[8] = {};
  hn::StoreMaskBits(FloatTag(), mask, bytes);
  return bytes[0] | static_cast<uint32_t>(bytes[1]) << 8;
}

// Number of the tile that a pixel is in, within those of the picture.
HWY_INLINE void StoreTiles(FloatVec pixel, int tiles, uint32_t* out) {
  const hn::RebindToSigned<FloatTag> di;
  const FloatVec tile = hn::Floor(hn::Mul(pixel, Num(1.0f / kTileSide)));
  hn::Store(hn::ConvertTo(di,
                          hn::Min(hn::Max(tile, Num(0)),
                                  Num(static_cast<float>(tiles - 1)))),
            di,
            reinterpret_cast<int32_t*>(out));
}

// Returns the bits of those in the picture.
template <int kDegree>
HWY_INLINE uint32_t ProjectPart(const float* block,
                                size_t at,
                                FloatVec smoothing,
                                uint32_t there,
                                const Picture& picture,
                                Ellipse* ellipses,
                                TileBox* boxes) {
  const FloatTag d;
  const PinholeView& view = picture.view;
  const FloatVec mean[3] = {
      Row(block, 0, at), Row(block, 1, at), Row(block, 2, at)};
  const FloatVec depth =
      hn::Add(Dot(&view.rotation[6], mean), Num(view.translation[2]));
  if ((BitsOf(hn::Gt(depth, Num(view.near))) & there) == 0) return 0;

  Projection p;
  ProjectVector(block, at, smoothing, view, &p);
  const FloatVec half = Num(0.5f);
  const FloatVec x = hn::MulAdd(
      hn::Mul(Num(view.fx), p.camera[0]), p.inverse_depth, Num(view.cx - 0.5f));
  const FloatVec y = hn::MulAdd(
      hn::Mul(Num(view.fy), p.camera[1]), p.inverse_depth, Num(view.cy - 0.5f));
  // log2(opacity * sqrt(fading)); a fading of 0 is beyond all thresholds.
  const FloatVec opacity = hn::Mul(Num(kMostOpaque), p.logistic);
  const FloatVec fading = hn::Max(SquaredFading(p, view), Num(1e-30f));
  const FloatVec peak = hn::Mul(
      Num(kLog2E), hn::MulAdd(half, hn::Log(d, fading), hn::Log(d, opacity)));
  const FloatVec above = hn::Sub(peak, Num(std::log2(kFaintest)));
  // Half the sides of the box in which it is not too faint.
  const FloatVec reach = hn::Mul(Num(2 * kLn2), hn::Max(above, Num(0)));
  const FloatVec reach_x = hn::Sqrt(hn::Mul(reach, p.a));
  const FloatVec reach_y = hn::Sqrt(hn::Mul(reach, p.c));
  const FloatVec x0 = hn::Sub(x, reach_x), x1 = hn::Add(x, reach_x);
  const FloatVec y0 = hn::Sub(y, reach_y), y1 = hn::Add(y, reach_y);
  const FloatVec last_x = Num(static_cast<float>(view.width - 1));
  const FloatVec last_y = Num(static_cast<float>(view.height - 1));
  const FloatMask seen = hn::And(
      hn::And(hn::And(hn::Gt(depth, Num(view.near)), hn::Gt(above, Num(0))),
              hn::And(hn::Ge(x1, Num(0)), hn::Le(x0, last_x))),
      hn::And(hn::Ge(y1, Num(0)), hn::Le(y0, last_y)));
  const uint32_t bits = BitsOf(seen) & there;
  if (bits == 0) return 0;

  const FloatVec inverse = hn::Div(Num(1), p.det);
  const FloatVec xx = hn::Mul(hn::Mul(Num(-0.5f * kLog2E), p.c), inverse);
  const FloatVec yy = hn::Mul(hn::Mul(Num(-0.5f * kLog2E), p.a), inverse);
  const FloatVec xy = hn::Mul(hn::Mul(Num(kLog2E), p.b), inverse);
  FloatVec basis[HarmonicsOf(kDegree)];
  HarmonicsAt<kDegree>(SightOf(block, at, view).direction, basis);
  const auto colour = [&](int channel) HWY_ATTR {
    return hn::Max(ColourOf<kDegree>(block, at, channel, basis), Num(0));
  };
  const auto store = [&](FloatVec f0,
                         FloatVec f1,
                         FloatVec f2,
                         FloatVec f3,
                         float Ellipse::*first) HWY_ATTR {
    const FloatVec fields[4] = {f0, f1, f2, f3};
    StoreFields(fields, [&](size_t lane) { return &(ellipses[lane].*first); });
  };
  store(x, y, xx, xy, &Ellipse::x);
  store(yy, peak, colour(0), colour(1), &Ellipse::yy);
  store(colour(2),
        hn::Div(p.b, p.c),
        hn::Div(p.b, p.a),
        p.camera[2],
        &Ellipse::blue);

  HWY_ALIGN uint32_t tiles[4][kLanes];
  StoreTiles(x0, picture.tiles_x, tiles[0]);
  StoreTiles(x1, picture.tiles_x, tiles[1]);
  StoreTiles(y0, picture.tiles_y, tiles[2]);
  StoreTiles(y1, picture.tiles_y, tiles[3]);
  for (size_t i = 0; i < kLanes; ++i) {
    boxes[i] = {static_cast<uint16_t>(tiles[0][i]),
                static_cast<uint16_t>(tiles[1][i]),
                static_cast<uint16_t>(tiles[2][i]),
                static_cast<uint16_t>(tiles[3][i])};
  }
  return bits;
}

template <int kDegree>
void ProjectBlocks(const Gaussians& gaussians,
                   const Picture& picture,
                   size_t begin,
                   size_t end,
                   Ellipse* ellipses,
                   TileBox* boxes,
                   uint16_t* visible) {
  for (size_t b = begin; b < end; ++b) {
    const size_t left = std::min(kBlock, gaussians.count - b * kBlock);
    uint32_t bits = 0;
    for (size_t at = 0; at < left; at += kLanes) {
      const uint32_t there = (1u << std::min(kLanes, left - at)) - 1;
      bits |= ProjectPart<kDegree>(
                  gaussians.block(b),
                  at,
                  hn::Load(FloatTag(), gaussians.smoothing + b * kBlock + at),
                  there,
                  picture,
                  ellipses + b * kBlock + at,
                  boxes + b * kBlock + at)
              << at;
    }
    visible[b] = static_cast<uint16_t>(bits);
  }
}

void ProjectGaussiansT(const Gaussians& gaussians,
                       const PinholeView& view,
                       int degree,
                       size_t begin,
                       size_t end,
                       Ellipse* ellipses,
                       TileBox* boxes,
                       uint16_t* visible) {
  const Picture picture(view);
  WithDegree(degree, [&](auto constant) {
    ProjectBlocks<constant.value>(
        gaussians, picture, begin, end, ellipses, boxes, visible);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace nerfpipe::nerf::splat
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nerfpipe::nerf::splat {
namespace {
HWY_EXPORT(ProjectGaussiansT);
}  // namespace

void ProjectGaussians(const Gaussians& gaussians,
                      const PinholeView& view,
                      int degree,
                      size_t begin,
                      size_t end,
                      Ellipse* ellipses,
                      TileBox* boxes,
                      uint16_t* visible) {
  HWY_DYNAMIC_DISPATCH(ProjectGaussiansT)
  (gaussians, view, degree, begin, end, ellipses, boxes, visible);
}

}  // namespace nerfpipe::nerf::splat
#endif  // HWY_ONCE
