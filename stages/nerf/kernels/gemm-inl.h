// Products of small matrices, lanes along the columns of the result. Included
// once per SIMD target, inside foreach_target.

#if defined(NERFPIPE_GEMM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef NERFPIPE_GEMM_INL_H_
#undef NERFPIPE_GEMM_INL_H_
#else
#define NERFPIPE_GEMM_INL_H_
#endif

#include <cstddef>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace nerfpipe::nerf::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A matrix read one element at a time: element (m, k) is
// data[m * row + k * step].
struct Left {
  const float* data;
  size_t row;
  size_t step;
};

// A row-major matrix read along its rows.
struct Right {
  const float* data;
  size_t row;
};

struct Result {
  float* data;
  size_t row;
};

enum class Epilogue {
  kStore,       // C = A B
  kStoreRelu,   // C = max(A B, 0)
  kAccumulate,  // C += A B
  kStoreMasked  // C = A B where `mask` is positive, else 0
};

// One tile of kM rows and two (kWide) or one vectors of columns. All
// accumulators stay in registers: 6 x 2 of them fill AVX2's sixteen together
// with the operands.
template <Epilogue kEpilogue, int kM, bool kWide, class D>
HWY_INLINE void GemmTile(D d,
                         Left a,
                         Right b,
                         Result c,
                         const float* HWY_RESTRICT mask,
                         size_t k_count) {
  const size_t lanes = hn::Lanes(d);
  hn::Vec<D> low[kM];
  hn::Vec<D> high[kM];
  for (int m = 0; m < kM; ++m) {
    low[m] = hn::Zero(d);
    high[m] = hn::Zero(d);
  }
  const float* HWY_RESTRICT left = a.data;
  const float* HWY_RESTRICT right = b.data;
  for (size_t k = 0; k < k_count; ++k) {
    const auto b_low = hn::LoadU(d, right);
    const auto b_high = kWide ? hn::LoadU(d, right + lanes) : hn::Zero(d);
#pragma GCC unroll 6
    for (int m = 0; m < kM; ++m) {
      const auto value = hn::Set(d, left[m * a.row]);
      low[m] = hn::MulAdd(value, b_low, low[m]);
      if (kWide) high[m] = hn::MulAdd(value, b_high, high[m]);
    }
    left += a.step;
    right += b.row;
  }
  const auto finish = [&](hn::Vec<D> value, size_t at) HWY_ATTR {
    if (kEpilogue == Epilogue::kStoreRelu) {
      value = hn::Max(value, hn::Zero(d));
    } else if (kEpilogue == Epilogue::kAccumulate) {
      value = hn::Add(value, hn::LoadU(d, c.data + at));
    } else if (kEpilogue == Epilogue::kStoreMasked) {
      const auto on = hn::Gt(hn::LoadU(d, mask + at), hn::Zero(d));
      value = hn::IfThenElseZero(on, value);
    }
    hn::StoreU(value, d, c.data + at);
  };
#pragma GCC unroll 6
  for (int m = 0; m < kM; ++m) {
    finish(low[m], m * c.row);
    if (kWide) finish(high[m], m * c.row + lanes);
  }
}

template <Epilogue kEpilogue, bool kWide, class D>
HWY_INLINE void GemmRows(D d,
                         Left a,
                         Right b,
                         Result c,
                         const float* mask,
                         size_t m_count,
                         size_t k_count) {
  size_t m = 0;
  const auto tile_at = [&](size_t row) HWY_ATTR {
    return Result{c.data + row * c.row, c.row};
  };
  const auto left_at = [&](size_t row) HWY_ATTR {
    return Left{a.data + row * a.row, a.row, a.step};
  };
  const auto mask_at = [&](size_t row) HWY_ATTR {
    return mask == nullptr ? nullptr : mask + row * c.row;
  };
  for (; m + 6 <= m_count; m += 6) {
    GemmTile<kEpilogue, 6, kWide>(
        d, left_at(m), b, tile_at(m), mask_at(m), k_count);
  }
  for (; m + 2 <= m_count; m += 2) {
    GemmTile<kEpilogue, 2, kWide>(
        d, left_at(m), b, tile_at(m), mask_at(m), k_count);
  }
  for (; m < m_count; ++m) {
    GemmTile<kEpilogue, 1, kWide>(
        d, left_at(m), b, tile_at(m), mask_at(m), k_count);
  }
}

// C (m_count x kColumns) from A (m_count x k_count) and B (k_count x
// kColumns). kColumns is a multiple of 8; `mask` has the layout of C.
template <Epilogue kEpilogue, int kColumns>
HWY_INLINE void Gemm(Left a,
                     Right b,
                     Result c,
                     size_t m_count,
                     size_t k_count,
                     const float* mask = nullptr) {
  static_assert(kColumns % 8 == 0);
  const hn::CappedTag<float, kColumns> d;
  const size_t lanes = hn::Lanes(d);
  const auto mask_from = [&](size_t n) HWY_ATTR {
    return mask == nullptr ? nullptr : mask + n;
  };
  size_t n = 0;
  for (; n + 2 * lanes <= kColumns; n += 2 * lanes) {
    GemmRows<kEpilogue, true>(d,
                              a,
                              Right{b.data + n, b.row},
                              Result{c.data + n, c.row},
                              mask_from(n),
                              m_count,
                              k_count);
  }
  for (; n < kColumns; n += lanes) {
    GemmRows<kEpilogue, false>(d,
                               a,
                               Right{b.data + n, b.row},
                               Result{c.data + n, c.row},
                               mask_from(n),
                               m_count,
                               k_count);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace nerfpipe::nerf::kernels
HWY_AFTER_NAMESPACE();

#endif  // per target
