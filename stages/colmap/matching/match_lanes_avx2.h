#pragma once

// Eight int32 in a register of AVX2, and what is multiplied into them, for the
// kernels that are compiled with it: each has its own, since all stands in an
// anonymous namespace.

#include <cstdint>
#include <cstring>

#include <immintrin.h>

namespace nerfpipe::sfm {
namespace {

struct Lanes {
  static constexpr int kCount = 8;
  __m256i v;

  static Lanes Fill(int32_t x) { return {_mm256_set1_epi32(x)}; }
  static Lanes Count(int32_t first) {
    return {_mm256_add_epi32(_mm256_set1_epi32(first),
                             _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))};
  }
  static Lanes Load(const int32_t* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
  }
  void Store(int32_t* p) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
  }
};

// For each of the eight the elements that fill a lane: two int16 or four bytes.
struct LaneElements {
  __m256i v;

  static LaneElements Load(const void* p) {
    return {_mm256_loadu_si256(static_cast<const __m256i*>(p))};
  }
  static LaneElements Fill(const void* p) {
    int32_t elements;
    std::memcpy(&elements, p, sizeof(elements));
    return {_mm256_set1_epi32(elements)};
  }
};

inline Lanes Max(Lanes a, Lanes b) { return {_mm256_max_epi32(a.v, b.v)}; }
inline Lanes Min(Lanes a, Lanes b) { return {_mm256_min_epi32(a.v, b.v)}; }
inline Lanes Greater(Lanes a, Lanes b) {
  return {_mm256_cmpgt_epi32(a.v, b.v)};
}
inline Lanes Select(Lanes mask, Lanes yes, Lanes no) {
  return {_mm256_blendv_epi8(no.v, yes.v, mask.v)};
}

}  // namespace
}  // namespace nerfpipe::sfm
