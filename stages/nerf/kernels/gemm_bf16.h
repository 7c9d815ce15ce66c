#pragma once

// Products of small matrices in bfloat16 with sums in float, by AVX512_BF16.
// To be included where the compiler may use those instructions only.

#include "stages/nerf/kernels/bf16_pairs.h"

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

namespace nerfpipe::nerf::kernels::bf16 {

enum class Then {
  kStore,       // C = A B
  kStoreRelu,   // C = max(A B, 0)
  kStoreMasked  // C = A B where `mask` is positive, else 0
};

// Adds kM rows of a product: kVectors vectors of `sum` wide, `pairs` pairs
// deep. left(m, p) is the pair of row m at depth p; those of B follow each
// other.
template <int kM, int kVectors, class Left>
inline void AddProducts(const Left& left,
                        const uint32_t* b,
                        size_t pairs,
                        __m512 (&sum)[kM][kVectors]) {
  for (size_t p = 0; p < pairs; ++p) {
    __m512bh right[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      right[v] = LoadPairs(b + (p * kVectors + v) * kLanes);
    }
#pragma GCC unroll 12
    for (int m = 0; m < kM; ++m) {
      const __m512bh value = AllLanes(left(m, p));
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        sum[m][v] = _mm512_dpbf16_ps(sum[m][v], value, right[v]);
      }
    }
  }
}

// kM rows of C: kVectors vectors wide, of which `lanes` are stored.
template <Then kThen, int kM, int kVectors, int kDepth>
inline void Tile(const float* a,
                 size_t a_row,
                 const uint32_t* b,
                 float* c,
                 size_t c_row,
                 __mmask16 lanes,
                 const float* mask) {
  alignas(64) uint32_t left[kM][kDepth / 2];
  __m512 sum[kM][kVectors];
#pragma GCC unroll 12
  for (int m = 0; m < kM; ++m) {
    RoundRow<kDepth>(a + m * a_row, left[m]);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sum[m][v] = _mm512_setzero_ps();
  }
  AddProducts<kM, kVectors>(
      [&](int m, size_t p) { return left[m][p]; }, b, kDepth / 2, sum);
#pragma GCC unroll 12
  for (int m = 0; m < kM; ++m) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      __m512 value = sum[m][v];
      const size_t at = m * c_row + v * kLanes;
      if constexpr (kThen == Then::kStoreRelu) {
        value = _mm512_max_ps(value, _mm512_setzero_ps());
      } else if constexpr (kThen == Then::kStoreMasked) {
        const __mmask16 on = _mm512_cmp_ps_mask(
            _mm512_loadu_ps(mask + at), _mm512_setzero_ps(), _CMP_GT_OQ);
        value = _mm512_maskz_mov_ps(on, value);
      }
      _mm512_mask_storeu_ps(c + at, lanes, value);
    }
  }
}

// C (count x kColumns) from A (count x kDepth) and B, whose pairs of rows are
// padded to whole vectors. `mask` has the layout of C.
template <Then kThen, int kDepth, int kColumns>
inline void Product(const float* a,
                    const uint32_t* b,
                    float* c,
                    size_t count,
                    const float* mask = nullptr) {
  static_assert(kColumns == 8 || kColumns % kLanes == 0);
  constexpr int kVectors = kColumns < kLanes ? 1 : kColumns / kLanes;
  // As many sums as hide the latency and fit the 32 registers.
  constexpr int kM = kVectors == 4 ? 6 : kVectors == 2 ? 8 : 12;
  const __mmask16 lanes = kColumns < kLanes ? 0xff : 0xffff;
  size_t m = 0;
  const auto tiles = [&]<int kRows>() {
    for (; m + kRows <= count; m += kRows) {
      Tile<kThen, kRows, kVectors, kDepth>(
          a + m * kDepth,
          kDepth,
          b,
          c + m * kColumns,
          kColumns,
          lanes,
          mask == nullptr ? nullptr : mask + m * kColumns);
    }
  };
  tiles.template operator()<kM>();
  tiles.template operator()<2>();
  tiles.template operator()<1>();
}

// Adds to kM rows of a gradient, each kVectors vectors wide.
template <int kM, int kVectors>
inline void GradientTile(const uint32_t* slopes,
                         int slopes_row,
                         const uint32_t* inputs,
                         size_t pairs,
                         float* gradient) {
  constexpr int kColumns = kVectors * kLanes;
  __m512 sum[kM][kVectors];
#pragma GCC unroll 12
  for (int m = 0; m < kM; ++m) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      sum[m][v] = _mm512_loadu_ps(gradient + m * kColumns + v * kLanes);
    }
  }
  AddProducts<kM, kVectors>(
      [&](int m, size_t p) { return slopes[p * slopes_row + m]; },
      inputs,
      pairs,
      sum);
#pragma GCC unroll 12
  for (int m = 0; m < kM; ++m) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      _mm512_storeu_ps(gradient + m * kColumns + v * kLanes, sum[m][v]);
    }
  }
}

// Adds the sum over samples of slopes[s][o] * inputs[s][i] to gradient
// (kOutputs x kColumns). `slopes` is count x kWidth, `inputs` count x kColumns.
template <int kOutputs, int kWidth, int kColumns>
inline void AddGradient(const float* slopes,
                        const float* inputs,
                        size_t count,
                        float* gradient) {
  static_assert(kColumns % kLanes == 0);
  // Both operands of so many samples fit the first cache.
  constexpr size_t kChunk = 96;
  constexpr int kStride = kWidth < kLanes ? kLanes : kWidth;
  constexpr int kVectors = kColumns / kLanes;
  constexpr int kM = kVectors == 4 ? 6 : 8;
  constexpr int kRest = kOutputs % kM;
  alignas(64) uint32_t left[kChunk / 2 * kStride];
  alignas(64) uint32_t right[kChunk / 2 * kColumns];
  for (size_t first = 0; first < count; first += kChunk) {
    const size_t n = count - first < kChunk ? count - first : kChunk;
    PairRows<kWidth>(slopes + first * kWidth, kWidth, n, left);
    PairRows<kColumns>(inputs + first * kColumns, kColumns, n, right);
    const size_t pairs = (n + 1) / 2;
    for (int o = 0; o + kM <= kOutputs; o += kM) {
      GradientTile<kM, kVectors>(
          left + o, kStride, right, pairs, gradient + o * kColumns);
    }
    if constexpr (kRest > 0) {
      constexpr int o = kOutputs - kRest;
      GradientTile<kRest, kVectors>(
          left + o, kStride, right, pairs, gradient + o * kColumns);
    }
  }
}

}  // namespace nerfpipe::nerf::kernels::bf16
