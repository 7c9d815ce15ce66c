#include "stages/nerf/splat/kernels/gaussian_update.h"

#include <algorithm>

// The order matters: foreach_target.h reads this file once per SIMD level.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "stages/nerf/splat/kernels/gaussian_update.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "stages/nerf/splat/kernels/projection-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace nerfpipe::nerf::splat {
namespace HWY_NAMESPACE {

// bfloat16 is the upper half of a float.
HWY_INLINE FloatVec LoadShort(const uint16_t* from) {
  const hn::RebindToUnsigned<FloatTag> du;
  const hn::Rebind<uint16_t, FloatTag> d16;
  return hn::BitCast(FloatTag(),
                     hn::ShiftLeft<16>(hn::PromoteTo(du, hn::Load(d16, from))));
}

// Rounded to the nearest, ties to even.
HWY_INLINE auto ToShort(FloatVec v) {
  const hn::RebindToUnsigned<FloatTag> du;
  const hn::RebindToSigned<FloatTag> di;
  const hn::Rebind<uint16_t, FloatTag> d16;
  const auto bits = hn::BitCast(du, v);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1u));
  const auto rounded =
      hn::ShiftRight<16>(hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7fffu))));
  return hn::DemoteTo(d16, hn::BitCast(di, rounded));
}

// A step for one row of kLanes gaussians; the other ones keep all they have.
HWY_INLINE void StepRow(const UpdateRules& rules,
                        FloatVec rate,
                        FloatMask seen,
                        FloatVec gradient,
                        float* values,
                        uint16_t* first,
                        uint16_t* second) {
  const FloatTag d;
  const hn::Rebind<uint16_t, FloatTag> d16;
  const FloatVec m_old = LoadShort(first);
  const FloatVec v_old = LoadShort(second);
  const FloatVec m = hn::MulAdd(
      Num(rules.beta1), m_old, hn::Mul(Num(1 - rules.beta1), gradient));
  const FloatVec v = hn::MulAdd(
      Num(rules.beta2), v_old, hn::Mul(Num(1 - rules.beta2), Square(gradient)));
  const FloatVec step =
      hn::Div(hn::Mul(rate, m), hn::Add(hn::Sqrt(v), Num(rules.epsilon)));
  const FloatVec old = hn::Load(d, values);
  hn::Store(hn::IfThenElse(seen, hn::Sub(old, step), old), d, values);
  hn::Store(ToShort(hn::IfThenElse(seen, m, m_old)), d16, first);
  hn::Store(ToShort(hn::IfThenElse(seen, v, v_old)), d16, second);
}

// Of a 32-bit number another one (Wellons' "lowbias32").
template <class V>
HWY_INLINE V Mixed(V x) {
  const hn::RebindToUnsigned<FloatTag> du;
  x = hn::Xor(x, hn::ShiftRight<16>(x));
  x = hn::Mul(x, hn::Set(du, 0x7feb352du));
  x = hn::Xor(x, hn::ShiftRight<15>(x));
  x = hn::Mul(x, hn::Set(du, 0x846ca68bu));
  return hn::Xor(x, hn::ShiftRight<16>(x));
}

// Nearly normal: sums of four uniform numbers, of variance 1. `first` is the
// number of the first gaussian.
HWY_INLINE FloatVec NearlyNormal(uint32_t key, size_t first, uint32_t axis) {
  const FloatTag d;
  const hn::RebindToUnsigned<FloatTag> du;
  const hn::RebindToSigned<FloatTag> di;
  FloatVec sum = Num(0);
  for (uint32_t k = 0; k < 4; ++k) {
    const auto at =
        hn::Mul(hn::Iota(du, static_cast<uint32_t>(first)), hn::Set(du, 16u));
    const auto bits = Mixed(hn::Xor(
        Mixed(hn::Add(at, hn::Set(du, 4 * axis + k))), hn::Set(du, key)));
    sum = hn::Add(sum, hn::ConvertTo(d, hn::BitCast(di, bits)));
  }
  return hn::Mul(sum, Num(0.8660254f / 2147483648.0f));
}

// Random steps by the covariance, for those that are nearly transparent, others
// 0.
HWY_INLINE void NoiseOf(const UpdateRules& rules,
                        const Gaussians& gaussians,
                        const PinholeView& view,
                        FloatMask faint,
                        FloatVec logistic,
                        size_t gaussian,
                        FloatVec steps[3]) {
  const FloatTag d;
  Projection p;
  ProjectVector(gaussians.block(gaussian / kBlock),
                gaussian % kBlock,
                hn::Load(d, gaussians.smoothing + gaussian),
                view,
                &p);
  const FloatVec steep =
      hn::Exp(d, hn::Mul(Num(100), hn::Sub(logistic, Num(0.005f))));
  const FloatVec size = hn::IfThenElseZero(
      faint, hn::Div(Num(rules.noise), hn::Add(Num(1), steep)));
  FloatVec along[3];
  for (uint32_t k = 0; k < 3; ++k) {
    along[k] = hn::Mul(NearlyNormal(rules.noise_key, gaussian, k),
                       Square(p.deviation[k]));
  }
  FloatVec camera[3];
  for (int i = 0; i < 3; ++i) camera[i] = Dot(p.axes + 3 * i, along);
  for (int k = 0; k < 3; ++k) {
    steps[k] = hn::Mul(
        size,
        hn::MulAdd(Num(view.rotation[k]),
                   camera[0],
                   hn::MulAdd(Num(view.rotation[3 + k]),
                              camera[1],
                              hn::Mul(Num(view.rotation[6 + k]), camera[2]))));
  }
}

// What the step of a row depends on but its gradient.
struct RowRule {
  FloatVec rate;
  FloatVec penalty;  // added to the gradient
};

HWY_INLINE RowRule RuleOf(const UpdateRules& rules,
                          const float* block,
                          size_t at,
                          int row,
                          FloatVec reach,
                          FloatVec logistic) {
  const FloatTag d;
  const FloatVec correction = Num(rules.correction);
  if (row < kScaleRow) {
    return {hn::Mul(hn::Mul(Num(rules.mean), reach), correction), Num(0)};
  }
  if (row < kRotationRow) {
    return {hn::Mul(Num(rules.scale), correction),
            hn::Mul(Num(rules.scale_penalty), hn::Exp(d, Row(block, row, at)))};
  }
  if (row < kOpacityRow) {
    return {hn::Mul(Num(rules.rotation), correction), Num(0)};
  }
  if (row == kOpacityRow) {
    return {hn::Mul(Num(rules.opacity), correction),
            hn::Mul(Num(rules.opacity_penalty),
                    hn::Mul(logistic, hn::Sub(Num(1), logistic)))};
  }
  const float rate = row < kColourRow + 3 ? rules.colour : rules.harmonics;
  return {hn::Mul(Num(rate), correction), Num(0)};
}

HWY_INLINE void StepVector(const Gaussians& gaussians,
                           const PinholeView& view,
                           const UpdateRules& rules,
                           const MomentArrays& moments,
                           FloatMask seen,
                           size_t gaussian,
                           int rows,
                           const float* gradients) {
  const FloatTag d;
  const size_t at = gaussian % kBlock;
  float* const block = gaussians.block(gaussian / kBlock);
  const size_t first = (gaussian - at) * gaussians.rows + at;
  const FloatVec mean[3] = {
      Row(block, 0, at), Row(block, 1, at), Row(block, 2, at)};
  // Far things are seen from far away: they may move more.
  const FloatVec depth =
      hn::Add(Dot(&view.rotation[6], mean), Num(view.translation[2]));
  const FloatVec reach = hn::Min(hn::Max(depth, Num(1)), Num(30));
  const FloatVec logistic = LogisticOf(Row(block, kOpacityRow, at));
  FloatVec noise[3] = {Num(0), Num(0), Num(0)};
  const FloatMask faint = hn::And(seen, hn::Lt(logistic, Num(0.08f)));
  if (rules.noise > 0 && !hn::AllFalse(d, faint)) {
    NoiseOf(rules, gaussians, view, faint, logistic, gaussian, noise);
  }
  for (int row = 0; row < rows; ++row) {
    const RowRule rule = RuleOf(rules, block, at, row, reach, logistic);
    StepRow(rules,
            rule.rate,
            seen,
            hn::Add(hn::Load(d, gradients + row * kBlock + at), rule.penalty),
            block + row * kBlock + at,
            moments.first + first + row * kBlock,
            moments.second + first + row * kBlock);
  }
  for (int k = 0; k < 3; ++k) {
    float* scale = block + (kScaleRow + k) * kBlock + at;
    hn::Store(
        hn::Min(hn::Load(d, scale), Num(rules.largest_log_scale)), d, scale);
    float* place = block + (kMeanRow + k) * kBlock + at;
    hn::Store(hn::Add(hn::Load(d, place), noise[k]), d, place);
  }
}

void StepGaussiansT(const Gaussians& gaussians,
                    const PictureSource& source,
                    const UpdateRules& rules,
                    const MomentArrays& moments,
                    size_t begin,
                    size_t end,
                    const float* gradients) {
  for (size_t block = begin; block < end; ++block) {
    if (source.visible[block] == 0) continue;
    for (size_t at = 0; at < kBlock; at += kLanes) {
      StepVector(gaussians,
                 *source.view,
                 rules,
                 moments,
                 VisibleLanes(source.visible[block], at),
                 block * kBlock + at,
                 RowsOf(source.degree),
                 gradients + (block - begin) * gaussians.rows * kBlock);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace nerfpipe::nerf::splat
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nerfpipe::nerf::splat {
namespace {
HWY_EXPORT(StepGaussiansT);
}  // namespace

void StepGaussians(const Gaussians& gaussians,
                   const PictureSource& source,
                   const UpdateRules& rules,
                   const MomentArrays& moments,
                   size_t begin,
                   size_t end,
                   const float* gradients) {
  HWY_DYNAMIC_DISPATCH(StepGaussiansT)
  (gaussians, source, rules, moments, begin, end, gradients);
}

}  // namespace nerfpipe::nerf::splat
#endif  // HWY_ONCE
