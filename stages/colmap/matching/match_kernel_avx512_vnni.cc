// Compiled with AVX-512 and its VNNI; called only where the processor has them.

#include <cstdint>
#include <cstring>

#include <immintrin.h>

namespace nerfpipe::sfm {
namespace {

using Element = uint8_t;

// Sixteen int32.
struct Lanes {
  static constexpr int kCount = 16;
  __m512i v;

  static Lanes Fill(int32_t x) { return {_mm512_set1_epi32(x)}; }
  static Lanes Count(int32_t first) {
    return {_mm512_add_epi32(
        _mm512_set1_epi32(first),
        _mm512_setr_epi32(
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))};
  }
  static Lanes Load(const int32_t* p) { return {_mm512_loadu_si512(p)}; }
  void Store(int32_t* p) const { _mm512_storeu_si512(p, v); }
};

// Sixteen times four bytes.
struct LaneElements {
  __m512i v;

  static LaneElements Load(const uint8_t* p) { return {_mm512_loadu_si512(p)}; }
  static LaneElements Fill(const uint8_t* p) {
    int32_t four;
    std::memcpy(&four, p, sizeof(four));
    return {_mm512_set1_epi32(four)};
  }
};

// Bytes of rows are unsigned; those of columns are signed, stored less 128.
inline Lanes AddProducts(Lanes sum, LaneElements a, LaneElements b) {
  return {_mm512_dpbusd_epi32(sum.v, a.v, b.v)};
}
// GCC 12 warns, wrongly, of the forms without a mask.
constexpr __mmask16 kAll = 0xffff;
inline Lanes Max(Lanes a, Lanes b) {
  return {_mm512_maskz_max_epi32(kAll, a.v, b.v)};
}
inline Lanes Min(Lanes a, Lanes b) {
  return {_mm512_maskz_min_epi32(kAll, a.v, b.v)};
}
inline __mmask16 Greater(Lanes a, Lanes b) {
  return _mm512_cmpgt_epi32_mask(a.v, b.v);
}
inline Lanes Select(__mmask16 mask, Lanes yes, Lanes no) {
  return {_mm512_mask_blend_epi32(mask, no.v, yes.v)};
}

}  // namespace
}  // namespace nerfpipe::sfm

#include "stages/colmap/matching/match_kernel_inl.h"

namespace nerfpipe::sfm {

MatchKernel Avx512VnniMatchKernel() {
  return {"avx512-vnni", Lanes::kCount, ElementKind::kByte, FindBest};
}

}  // namespace nerfpipe::sfm
