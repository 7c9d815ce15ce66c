// Vectors of one field of many records <-> records in memory. Included once per
// SIMD target, inside foreach_target.

#if defined(NERFPIPE_SPLAT_RECORDS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef NERFPIPE_SPLAT_RECORDS_INL_H_
#undef NERFPIPE_SPLAT_RECORDS_INL_H_
#else
#define NERFPIPE_SPLAT_RECORDS_INL_H_
#endif

#include "stages/nerf/splat/kernels/gaussian_blocks.h"

#include <cstddef>
#include <cstdint>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace nerfpipe::nerf::splat {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// At most as wide as a block.
using FloatTag = hn::CappedTag<float, kBlock>;
using FloatVec = hn::Vec<FloatTag>;
using FourTag = hn::FixedTag<float, 4>;
inline constexpr size_t kLanes = hn::MaxLanes(FloatTag());
// Vectors to a block of gaussians, or of 4 x 4 pixels.
inline constexpr size_t kParts = kBlock / kLanes;

HWY_INLINE FloatVec Num(float value) { return hn::Set(FloatTag(), value); }

// Transposes each 4 x 4 matrix that the 128-bit parts of four vectors make.
HWY_INLINE void TransposeParts(FloatVec v[4]) {
  const FloatTag d;
  const hn::Repartition<uint64_t, FloatTag> d64;
  const auto pairs =
      [&](FloatVec a, FloatVec b, FloatVec* low, FloatVec* high) HWY_ATTR {
        const auto a64 = hn::BitCast(d64, a);
        const auto b64 = hn::BitCast(d64, b);
        *low = hn::BitCast(d, hn::InterleaveLower(d64, a64, b64));
        *high = hn::BitCast(d, hn::InterleaveUpper(d64, a64, b64));
      };
  const auto a = hn::InterleaveLower(d, v[0], v[1]);
  const auto b = hn::InterleaveUpper(d, v[0], v[1]);
  const auto c = hn::InterleaveLower(d, v[2], v[3]);
  const auto e = hn::InterleaveUpper(d, v[2], v[3]);
  pairs(a, c, &v[0], &v[1]);
  pairs(b, e, &v[2], &v[3]);
}

// Lanes 4 k to 4 k + 3 from `at(k)`, k from `first`.
template <class D, class At>
HWY_INLINE hn::Vec<D> LoadParts(D d, const At& at, size_t first = 0) {
  if constexpr (hn::MaxLanes(D()) == 4) {
    return hn::Load(d, at(first));
  } else {
    const hn::Half<D> dh;
    const size_t middle = first + hn::MaxLanes(dh) / 4;
    return hn::Combine(d, LoadParts(dh, at, middle), LoadParts(dh, at, first));
  }
}

// The reverse.
template <class D, class At>
HWY_INLINE void StoreParts(D d, hn::Vec<D> v, const At& at, size_t first = 0) {
  if constexpr (hn::MaxLanes(D()) == 4) {
    hn::Store(v, d, at(first));
  } else {
    const hn::Half<D> dh;
    StoreParts(dh, hn::LowerHalf(dh, v), at, first);
    StoreParts(dh, hn::UpperHalf(dh, v), at, first + hn::MaxLanes(dh) / 4);
  }
}

// Four fields, from field 0 at `record(lane)`, of as many records as there are
// lanes. Records are aligned to 16 bytes.
template <class Record>
HWY_INLINE void LoadFields(const Record& record, FloatVec fields[4]) {
  for (size_t i = 0; i < 4; ++i) {
    fields[i] =
        LoadParts(FloatTag(), [&](size_t k) { return record(4 * k + i); });
  }
  TransposeParts(fields);
}

template <class Record>
HWY_INLINE void StoreFields(const FloatVec fields[4], const Record& record) {
  FloatVec rows[4] = {fields[0], fields[1], fields[2], fields[3]};
  TransposeParts(rows);
  for (size_t i = 0; i < 4; ++i) {
    StoreParts(
        FloatTag(), rows[i], [&](size_t k) { return record(4 * k + i); });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace nerfpipe::nerf::splat
HWY_AFTER_NAMESPACE();

#endif  // include guard
