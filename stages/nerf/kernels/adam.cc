#include "stages/nerf/kernels/adam.h"

#include <cmath>
#include <cstring>

// The order matters: foreach_target.h reads this file once per SIMD level.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "stages/nerf/kernels/adam.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace nerfpipe::nerf::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Updates Lanes(d) elements from `at` on where the gradient is not zero.
template <class D>
HWY_INLINE void UpdateVector(D d,
                             const AdamSettings& s,
                             const AdamArrays& a,
                             size_t at) {
  const auto g = hn::LoadU(d, a.gradients + at);
  const auto on = hn::Ne(g, hn::Zero(d));
  const auto m_old = hn::LoadU(d, a.first + at);
  const auto v_old = hn::LoadU(d, a.second + at);
  const auto p_old = hn::LoadU(d, a.values + at);
  const auto m = hn::MulAdd(hn::Set(d, 1 - s.beta1), hn::Sub(g, m_old), m_old);
  const auto v =
      hn::MulAdd(hn::Set(d, 1 - s.beta2), hn::MulSub(g, g, v_old), v_old);
  const auto rate = hn::Div(m, hn::Add(hn::Sqrt(v), hn::Set(d, s.epsilon)));
  const auto p = hn::NegMulAdd(hn::Set(d, s.learning_rate), rate, p_old);
  hn::StoreU(hn::IfThenElse(on, m, m_old), d, a.first + at);
  hn::StoreU(hn::IfThenElse(on, v, v_old), d, a.second + at);
  hn::StoreU(hn::IfThenElse(on, p, p_old), d, a.values + at);
  hn::StoreU(hn::Zero(d), d, a.gradients + at);
}

void AdamTouchedT(const AdamSettings& settings,
                  const AdamArrays& arrays,
                  size_t count,
                  size_t block,
                  uint8_t* touched) {
  const hn::CappedTag<float, 16> d;
  const hn::FixedTag<float, 1> d1;
  const size_t lanes = hn::Lanes(d);
  const size_t blocks = (count + block - 1) / block;
  for (size_t b = 0; b < blocks; ++b) {
    if (b % 8 == 0 && b + 8 <= blocks) {
      uint64_t eight;
      std::memcpy(&eight, touched + b, 8);
      if (eight == 0) {
        b += 7;
        continue;
      }
    }
    if (touched[b] == 0) continue;
    touched[b] = 0;
    const size_t end = HWY_MIN((b + 1) * block, count);
    size_t at = b * block;
    for (; at + lanes <= end; at += lanes) {
      UpdateVector(d, settings, arrays, at);
    }
    for (; at < end; ++at) UpdateVector(d1, settings, arrays, at);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace nerfpipe::nerf::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nerfpipe::nerf::kernels {
namespace {
HWY_EXPORT(AdamTouchedT);
}  // namespace

void AdamTouched(const AdamSettings& settings,
                 const AdamArrays& arrays,
                 size_t count,
                 size_t block,
                 uint8_t* touched) {
  HWY_DYNAMIC_DISPATCH(AdamTouchedT)
  (settings, arrays, count, block, touched);
}

void AdamDense(const AdamSettings& settings,
               const AdamArrays& arrays,
               size_t count,
               int64_t step) {
  const double correction1 = 1 - std::pow(settings.beta1, step);
  const double correction2 = 1 - std::pow(settings.beta2, step);
  const float rate = static_cast<float>(settings.learning_rate / correction1);
  const float spread = static_cast<float>(1 / std::sqrt(correction2));
  for (size_t i = 0; i < count; ++i) {
    const float g =
        arrays.gradients[i] + settings.weight_decay * arrays.values[i];
    float& m = arrays.first[i];
    float& v = arrays.second[i];
    m += (1 - settings.beta1) * (g - m);
    v += (1 - settings.beta2) * (g * g - v);
    arrays.values[i] -= rate * m / (std::sqrt(v) * spread + settings.epsilon);
    arrays.gradients[i] = 0;
  }
}

}  // namespace nerfpipe::nerf::kernels
#endif  // HWY_ONCE
