#pragma once

// bfloat16 in pairs, as AVX512_BF16 multiplies them. To be included where the
// compiler may use those instructions only.

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

namespace nerfpipe::nerf::kernels::bf16 {

// Floats of a vector, and pairs of bfloat16.
inline constexpr int kLanes = 16;

// kCount floats, a multiple of 8, rounded to bfloat16.
template <int kCount>
inline void RoundRow(const float* from, uint32_t* to) {
  static_assert(kCount == 8 || kCount == 16 || kCount % 32 == 0);
  if constexpr (kCount == 8) {
    _mm_storeu_si128(
        reinterpret_cast<__m128i*>(to),
        reinterpret_cast<__m128i>(_mm256_cvtneps_pbh(_mm256_loadu_ps(from))));
  } else if constexpr (kCount == 16) {
    _mm256_storeu_si256(
        reinterpret_cast<__m256i*>(to),
        reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(_mm512_loadu_ps(from))));
  } else {
    for (int i = 0; i < kCount; i += 32) {
      const __m512bh both = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + i + 16),
                                                _mm512_loadu_ps(from + i));
      _mm512_storeu_si512(to + i / 2, reinterpret_cast<__m512i>(both));
    }
  }
}

// Rows 2k and 2k + 1 of `from` (count x kWidth) side by side: to[k][n], rows
// padded to whole vectors. A last row without a partner gets zeros for one.
template <int kWidth>
inline void PairRows(const float* from,
                     size_t row,
                     size_t count,
                     uint32_t* to) {
  static_assert(kWidth == 8 || kWidth % kLanes == 0);
  constexpr int kStride = kWidth < kLanes ? kLanes : kWidth;
  const __mmask16 on = kWidth < kLanes ? 0xff : 0xffff;
  const __m512i halves = _mm512_set_epi16(
      // clang-format off
      31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8,
      23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  // clang-format on
  for (size_t s = 0; s < count; s += 2) {
    const __mmask16 partner = s + 1 < count ? on : __mmask16{0};
    for (int c = 0; c < kStride; c += kLanes) {
      const float* at = from + s * row + c;
      const __m512bh both =
          _mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(partner, at + row),
                              _mm512_maskz_loadu_ps(on, at));
      _mm512_storeu_si512(
          to + s / 2 * kStride + c,
          _mm512_permutexvar_epi16(halves, reinterpret_cast<__m512i>(both)));
    }
  }
}

inline __m512bh AllLanes(uint32_t pair) {
  return reinterpret_cast<__m512bh>(
      _mm512_set1_epi32(static_cast<int32_t>(pair)));
}

inline __m512bh LoadPairs(const uint32_t* from) {
  return reinterpret_cast<__m512bh>(_mm512_loadu_si512(from));
}

}  // namespace nerfpipe::nerf::kernels::bf16
