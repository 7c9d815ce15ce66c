// Compiled with AVX-VNNI; called only where the processor has it.

#include "stages/colmap/matching/match_lanes_avx2.h"

#include <cstdint>
#include <cstring>

#include <immintrin.h>

namespace nerfpipe::sfm {
namespace {

using Element = uint8_t;

// Eight times four bytes.
struct LaneElements {
  __m256i v;

  static LaneElements Load(const uint8_t* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
  }
  static LaneElements Fill(const uint8_t* p) {
    int32_t four;
    std::memcpy(&four, p, sizeof(four));
    return {_mm256_set1_epi32(four)};
  }
};

// Bytes of rows are unsigned; those of columns are signed, stored less 128.
inline Lanes AddProducts(Lanes sum, LaneElements a, LaneElements b) {
  return {_mm256_dpbusd_avx_epi32(sum.v, a.v, b.v)};
}

}  // namespace
}  // namespace nerfpipe::sfm

#include "stages/colmap/matching/match_kernel_inl.h"

namespace nerfpipe::sfm {

MatchKernel AvxVnniMatchKernel() {
  return {"avx-vnni", Lanes::kCount, ElementKind::kByte, FindBest};
}

}  // namespace nerfpipe::sfm
