#include "stages/nerf/splat/kernels/survey.h"

#include <algorithm>

// The order matters: foreach_target.h reads this file once per SIMD level.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "stages/nerf/splat/kernels/survey.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "stages/nerf/splat/kernels/records-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace nerfpipe::nerf::splat {
namespace HWY_NAMESPACE {

using FloatMask = hn::Mask<FloatTag>;

inline constexpr float kShareOfPixel = 0.2f;
inline constexpr float kMargin = 0.1f;  // of the picture, beyond it

struct Seen {
  FloatVec x, y, depth;  // in pixels
  FloatMask before;      // the camera
};

HWY_INLINE Seen Look(const PinholeView& view, const FloatVec mean[3]) {
  FloatVec camera[3];
  for (int r = 0; r < 3; ++r) {
    camera[r] = Num(view.translation[r]);
    for (int k = 0; k < 3; ++k) {
      camera[r] = hn::MulAdd(Num(view.rotation[3 * r + k]), mean[k], camera[r]);
    }
  }
  const FloatVec inverse = hn::Div(Num(1), hn::Max(camera[2], Num(1e-6f)));
  return {hn::MulAdd(hn::Mul(camera[0], inverse), Num(view.fx), Num(view.cx)),
          hn::MulAdd(hn::Mul(camera[1], inverse), Num(view.fy), Num(view.cy)),
          camera[2],
          hn::Gt(camera[2], Num(view.near))};
}

HWY_INLINE FloatMask IsBetween(FloatVec v, float low, float high) {
  return hn::And(hn::Ge(v, Num(low)), hn::Lt(v, Num(high)));
}

HWY_INLINE void LoadMeans(const Gaussians& gaussians,
                          size_t i,
                          FloatVec mean[3]) {
  for (int k = 0; k < 3; ++k) {
    mean[k] = hn::Load(
        FloatTag(),
        gaussians.block(i / kBlock) + (kMeanRow + k) * kBlock + i % kBlock);
  }
}

void MeasureSmoothingT(const Gaussians& gaussians,
                       const std::vector<PinholeView>& views,
                       size_t begin,
                       size_t end,
                       float* smoothing) {
  constexpr float kFar = 1e18f;
  for (size_t i = begin; i < end; i += kLanes) {
    FloatVec mean[3];
    LoadMeans(gaussians, i, mean);
    FloatVec least = Num(kFar), anywhere = Num(kFar);
    for (const PinholeView& view : views) {
      const Seen seen = Look(view, mean);
      const float width = static_cast<float>(view.width);
      const float height = static_cast<float>(view.height);
      const FloatMask within = hn::And(
          seen.before,
          hn::And(
              IsBetween(seen.x, -kMargin * width, (1 + kMargin) * width),
              IsBetween(seen.y, -kMargin * height, (1 + kMargin) * height)));
      const FloatVec pixel =
          hn::Mul(seen.depth, Num(1 / std::max(view.fx, view.fy)));
      least = hn::IfThenElse(within, hn::Min(least, pixel), least);
      anywhere =
          hn::IfThenElse(seen.before, hn::Min(anywhere, pixel), anywhere);
    }
    FloatVec size = hn::IfThenElse(hn::Lt(least, Num(kFar)), least, anywhere);
    size = hn::IfThenElseZero(hn::Lt(size, Num(kFar)), size);
    hn::Store(hn::Mul(Num(kShareOfPixel), hn::Mul(size, size)),
              FloatTag(),
              smoothing + i);
  }
}

void FindFloatersT(const Gaussians& gaussians,
                   const std::vector<KnownSurface>& surfaces,
                   const FloaterRules& rules,
                   size_t begin,
                   size_t end,
                   uint8_t* floats) {
  const FloatTag d;
  const hn::RebindToSigned<FloatTag> di;
  for (size_t i = begin; i < end; i += kLanes) {
    FloatVec mean[3];
    LoadMeans(gaussians, i, mean);
    FloatVec in_front = Num(0), on = Num(0);
    for (const KnownSurface& surface : surfaces) {
      const Seen seen = Look(surface.view, mean);
      const float cells = 1 / static_cast<float>(surface.step);
      const FloatVec column = hn::Mul(seen.x, Num(cells));
      const FloatVec row = hn::Mul(seen.y, Num(cells));
      const FloatMask within = hn::And(
          seen.before,
          hn::And(IsBetween(column, 0, static_cast<float>(surface.width)),
                  IsBetween(row, 0, static_cast<float>(surface.height))));
      if (hn::AllFalse(d, within)) continue;
      const auto at =
          hn::Add(hn::Mul(hn::ConvertTo(di, hn::IfThenElseZero(within, row)),
                          hn::Set(di, surface.width)),
                  hn::ConvertTo(di, hn::IfThenElseZero(within, column)));
      const FloatVec known = hn::GatherIndex(d, surface.inverse_depth, at);
      const FloatVec ratio = hn::Mul(known, seen.depth);
      const FloatMask counts = hn::And(within, hn::Gt(known, Num(0)));
      const auto add = [&](FloatVec to, FloatMask where) HWY_ATTR {
        return hn::Add(to, hn::IfThenElseZero(hn::And(counts, where), Num(1)));
      };
      in_front = add(in_front, hn::Lt(ratio, Num(1 - rules.tolerance)));
      on = add(on,
               hn::Le(hn::Abs(hn::Sub(ratio, Num(1))), Num(rules.tolerance)));
    }
    HWY_ALIGN float lanes[kLanes];
    hn::Store(hn::IfThenElseZero(
                  hn::And(hn::Ge(in_front,
                                 Num(static_cast<float>(rules.least_views))),
                          hn::Gt(in_front, on)),
                  Num(1)),
              d,
              lanes);
    for (size_t k = 0; k < kLanes && i + k < gaussians.count; ++k) {
      floats[i + k] = lanes[k] > 0;
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace nerfpipe::nerf::splat
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nerfpipe::nerf::splat {
namespace {

HWY_EXPORT(MeasureSmoothingT);
HWY_EXPORT(FindFloatersT);

// f(first gaussian, end), in whole blocks.
template <class F>
void InParallel(const Gaussians& gaussians, int threads, const F& f) {
  constexpr size_t kAtOnce = 64 * kBlock;
  const size_t end = gaussians.blocks() * kBlock;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
  for (size_t begin = 0; begin < end; begin += kAtOnce) {
    f(begin, std::min(end, begin + kAtOnce));
  }
}

}  // namespace

void MeasureSmoothing(const Gaussians& gaussians,
                      const std::vector<PinholeView>& views,
                      int threads,
                      float* smoothing) {
  InParallel(gaussians, threads, [&](size_t begin, size_t end) {
    HWY_DYNAMIC_DISPATCH(MeasureSmoothingT)
    (gaussians, views, begin, end, smoothing);
  });
}

void FindFloaters(const Gaussians& gaussians,
                  const std::vector<KnownSurface>& surfaces,
                  const FloaterRules& rules,
                  int threads,
                  uint8_t* floats) {
  InParallel(gaussians, threads, [&](size_t begin, size_t end) {
    HWY_DYNAMIC_DISPATCH(FindFloatersT)
    (gaussians, surfaces, rules, begin, end, floats);
  });
}

}  // namespace nerfpipe::nerf::splat
#endif  // HWY_ONCE
