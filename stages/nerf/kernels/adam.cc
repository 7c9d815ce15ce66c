#include "stages/nerf/kernels/adam.h"

#include <algorithm>
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

using RowTag = hn::FixedTag<float, kFeatures>;
using RowVec = hn::Vec<RowTag>;
using HalfTag = hn::Rebind<hwy::float16_t, RowTag>;
using HalfBitsTag = hn::Rebind<Half, RowTag>;
static_assert(kFeatures == 4 && kRowsPerFlag == 4);

// Mean over each of four rows, one lane each.
HWY_INLINE RowVec RowMeans(RowVec r0, RowVec r1, RowVec r2, RowVec r3) {
  const RowTag d;
  const auto low =
      hn::Add(hn::InterleaveLower(d, r0, r1), hn::InterleaveUpper(d, r0, r1));
  const auto high =
      hn::Add(hn::InterleaveLower(d, r2, r3), hn::InterleaveUpper(d, r2, r3));
  return hn::Mul(hn::Set(d, 0.25f),
                 hn::Add(hn::ConcatLowerLower(d, high, low),
                         hn::ConcatUpperUpper(d, high, low)));
}

// Four rows at once; those without gradient keep their moment and values.
HWY_INLINE void UpdateRows(const AdamSettings& s,
                           const TableArrays& a,
                           size_t row) {
  const RowTag d;
  float* HWY_RESTRICT p = a.values + row * kFeatures;
  float* HWY_RESTRICT g = a.gradients + row * kFeatures;
  Half* HWY_RESTRICT h = a.halves + row * kFeatures;
  const auto g0 = hn::Load(d, g);
  const auto g1 = hn::Load(d, g + 4);
  const auto g2 = hn::Load(d, g + 8);
  const auto g3 = hn::Load(d, g + 12);
  const auto squares = RowMeans(
      hn::Mul(g0, g0), hn::Mul(g1, g1), hn::Mul(g2, g2), hn::Mul(g3, g3));
  const auto on = hn::Gt(squares, hn::Zero(d));
  const auto v_old = hn::LoadU(d, a.second + row);
  const auto v = hn::MulAdd(hn::IfThenElseZero(on, hn::Set(d, 1 - s.beta2)),
                            hn::Sub(squares, v_old),
                            v_old);
  hn::StoreU(v, d, a.second + row);
  const auto rate =
      hn::IfThenElseZero(on,
                         hn::Div(hn::Set(d, -s.learning_rate),
                                 hn::Add(hn::Sqrt(v), hn::Set(d, s.epsilon))));
  const auto update = [&](size_t at, RowVec gradient, RowVec r) HWY_ATTR {
    const auto fresh = hn::MulAdd(r, gradient, hn::LoadU(d, p + at));
    hn::StoreU(fresh, d, p + at);
    const auto half = hn::DemoteTo(HalfTag(), fresh);
    hn::StoreU(hn::BitCast(HalfBitsTag(), half), HalfBitsTag(), h + at);
    hn::Store(hn::Zero(d), d, g + at);
  };
  update(0, g0, hn::Broadcast<0>(rate));
  update(4, g1, hn::Broadcast<1>(rate));
  update(8, g2, hn::Broadcast<2>(rate));
  update(12, g3, hn::Broadcast<3>(rate));
}

// Numbers of the flags that are set, which are cleared; returns how many.
// `count` is at most that of `list`.
HWY_INLINE size_t TakeFlags(uint8_t* flags, size_t count, uint32_t* list) {
  size_t found = 0;
  size_t at = 0;
  for (; at + 8 <= count; at += 8) {
    uint64_t eight;
    std::memcpy(&eight, flags + at, 8);
    if (eight == 0) continue;
    std::memset(flags + at, 0, 8);
    // Without a branch: which flags are set cannot be foreseen.
    for (size_t k = 0; k < 8; ++k, eight >>= 8) {
      list[found] = static_cast<uint32_t>(at + k);
      found += eight & 1;
    }
  }
  for (; at < count; ++at) {
    list[found] = static_cast<uint32_t>(at);
    found += flags[at];
    flags[at] = 0;
  }
  return found;
}

size_t AdamTouchedT(const AdamSettings& settings,
                    const TableArrays& arrays,
                    size_t rows,
                    uint8_t* touched) {
  constexpr size_t kFlags = 1024;  // in one list
  // Far enough for the memory to answer; touched blocks do not follow each
  // other in a large table, so that the processor does not see them coming.
  constexpr size_t kAhead = 16;
  const auto fetch = [&](size_t block) HWY_ATTR {
    const size_t row = block * kRowsPerFlag;
    constexpr int kToWrite = 1;
    __builtin_prefetch(arrays.values + row * kFeatures, kToWrite);
    __builtin_prefetch(arrays.halves + row * kFeatures, kToWrite);
    __builtin_prefetch(arrays.gradients + row * kFeatures, kToWrite);
    __builtin_prefetch(arrays.second + row, kToWrite);
  };
  const size_t blocks = rows / kRowsPerFlag;
  uint32_t list[kFlags];
  size_t all = 0;
  for (size_t first = 0; first < blocks; first += kFlags) {
    const size_t found =
        TakeFlags(touched + first, std::min(kFlags, blocks - first), list);
    for (size_t i = 0; i < std::min(kAhead, found); ++i) fetch(first + list[i]);
    for (size_t i = 0; i < found; ++i) {
      if (i + kAhead < found) fetch(first + list[i + kAhead]);
      UpdateRows(settings, arrays, (first + list[i]) * kRowsPerFlag);
    }
    all += found;
  }
  return all;
}

struct DenseRates {
  float rate;    // learning rate over the first moment's correction
  float spread;  // over the root of the second's
};

template <class D>
HWY_INLINE void UpdateDense(D d,
                            const AdamSettings& s,
                            DenseRates rates,
                            const AdamArrays& a,
                            size_t at) {
  const auto p_old = hn::LoadU(d, a.values + at);
  const auto m_old = hn::LoadU(d, a.first + at);
  const auto v_old = hn::LoadU(d, a.second + at);
  const auto g = hn::MulAdd(
      hn::Set(d, s.weight_decay), p_old, hn::LoadU(d, a.gradients + at));
  const auto m = hn::MulAdd(hn::Set(d, 1 - s.beta1), hn::Sub(g, m_old), m_old);
  const auto v =
      hn::MulAdd(hn::Set(d, 1 - s.beta2), hn::MulSub(g, g, v_old), v_old);
  const auto below =
      hn::MulAdd(hn::Sqrt(v), hn::Set(d, rates.spread), hn::Set(d, s.epsilon));
  const auto change = hn::Div(hn::Mul(hn::Set(d, rates.rate), m), below);
  hn::StoreU(m, d, a.first + at);
  hn::StoreU(v, d, a.second + at);
  hn::StoreU(hn::Sub(p_old, change), d, a.values + at);
  hn::StoreU(hn::Zero(d), d, a.gradients + at);
}

void AdamDenseT(const AdamSettings& settings,
                const AdamArrays& arrays,
                size_t count,
                int64_t step) {
  const double correction1 = 1 - std::pow(settings.beta1, step);
  const double correction2 = 1 - std::pow(settings.beta2, step);
  const DenseRates rates = {
      static_cast<float>(settings.learning_rate / correction1),
      static_cast<float>(1 / std::sqrt(correction2))};
  const hn::CappedTag<float, 16> d;
  const hn::FixedTag<float, 1> d1;
  const size_t lanes = hn::Lanes(d);
  size_t at = 0;
  for (; at + lanes <= count; at += lanes) {
    UpdateDense(d, settings, rates, arrays, at);
  }
  for (; at < count; ++at) UpdateDense(d1, settings, rates, arrays, at);
}

}  // namespace HWY_NAMESPACE
}  // namespace nerfpipe::nerf::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace nerfpipe::nerf::kernels {
namespace {
HWY_EXPORT(AdamTouchedT);
HWY_EXPORT(AdamDenseT);
}  // namespace

size_t AdamTouched(const AdamSettings& settings,
                   const TableArrays& arrays,
                   size_t rows,
                   uint8_t* touched) {
  return HWY_DYNAMIC_DISPATCH(AdamTouchedT)(settings, arrays, rows, touched);
}

void AdamDense(const AdamSettings& settings,
               const AdamArrays& arrays,
               size_t count,
               int64_t step) {
  HWY_DYNAMIC_DISPATCH(AdamDenseT)(settings, arrays, count, step);
}

}  // namespace nerfpipe::nerf::kernels
#endif  // HWY_ONCE
