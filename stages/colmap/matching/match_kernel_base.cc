// The kernel for every processor: SSE2 on x86-64, plain loops elsewhere.

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace nerfpipe::sfm {
namespace {

using Element = int16_t;

#if defined(__SSE2__)

// Four int32.
struct Lanes {
  static constexpr int kCount = 4;
  __m128i v;

  static Lanes Fill(int32_t x) { return {_mm_set1_epi32(x)}; }
  static Lanes Count(int32_t first) {
    return {_mm_add_epi32(_mm_set1_epi32(first), _mm_setr_epi32(0, 1, 2, 3))};
  }
  static Lanes Load(const int32_t* p) {
    return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))};
  }
  void Store(int32_t* p) const {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v);
  }
};

// Four pairs of int16.
struct LaneElements {
  __m128i v;

  static LaneElements Load(const int16_t* p) {
    return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))};
  }
  static LaneElements Fill(const int16_t* p) {
    int32_t pair;
    std::memcpy(&pair, p, sizeof(pair));
    return {_mm_set1_epi32(pair)};
  }
};

inline Lanes AddProducts(Lanes sum, LaneElements a, LaneElements b) {
  return {_mm_add_epi32(sum.v, _mm_madd_epi16(a.v, b.v))};
}
inline Lanes Greater(Lanes a, Lanes b) { return {_mm_cmpgt_epi32(a.v, b.v)}; }
inline Lanes Select(Lanes mask, Lanes yes, Lanes no) {
  return {_mm_or_si128(_mm_and_si128(mask.v, yes.v),
                       _mm_andnot_si128(mask.v, no.v))};
}

#else

struct Lanes {
  static constexpr int kCount = 4;
  int32_t v[kCount];

  static Lanes Fill(int32_t x) { return {{x, x, x, x}}; }
  static Lanes Count(int32_t first) {
    return {{first, first + 1, first + 2, first + 3}};
  }
  static Lanes Load(const int32_t* p) { return {{p[0], p[1], p[2], p[3]}}; }
  void Store(int32_t* p) const { std::memcpy(p, v, sizeof(v)); }
};

struct LaneElements {
  int16_t v[2 * Lanes::kCount];

  static LaneElements Load(const int16_t* p) {
    LaneElements pairs;
    std::memcpy(pairs.v, p, sizeof(pairs.v));
    return pairs;
  }
  static LaneElements Fill(const int16_t* p) {
    LaneElements pairs;
    for (int i = 0; i < Lanes::kCount; ++i) {
      pairs.v[2 * i] = p[0];
      pairs.v[2 * i + 1] = p[1];
    }
    return pairs;
  }
};

inline Lanes AddProducts(Lanes sum, LaneElements a, LaneElements b) {
  for (int i = 0; i < Lanes::kCount; ++i) {
    sum.v[i] += static_cast<int32_t>(a.v[2 * i]) * b.v[2 * i] +
                static_cast<int32_t>(a.v[2 * i + 1]) * b.v[2 * i + 1];
  }
  return sum;
}
inline Lanes Greater(Lanes a, Lanes b) {
  Lanes mask;
  for (int i = 0; i < Lanes::kCount; ++i) {
    mask.v[i] = -static_cast<int32_t>(a.v[i] > b.v[i]);
  }
  return mask;
}
inline Lanes Select(Lanes mask, Lanes yes, Lanes no) {
  Lanes chosen;
  for (int i = 0; i < Lanes::kCount; ++i) {
    chosen.v[i] = (mask.v[i] & yes.v[i]) | (~mask.v[i] & no.v[i]);
  }
  return chosen;
}

#endif

inline Lanes Max(Lanes a, Lanes b) { return Select(Greater(a, b), a, b); }
inline Lanes Min(Lanes a, Lanes b) { return Select(Greater(a, b), b, a); }

}  // namespace
}  // namespace nerfpipe::sfm

#include "stages/colmap/matching/match_kernel_inl.h"

namespace nerfpipe::sfm {

MatchKernel BaseMatchKernel() {
  return {"base", Lanes::kCount, ElementKind::kInt16, FindBest};
}

}  // namespace nerfpipe::sfm
