// Compiled with AVX2; called only where the processor has it.

#include "stages/colmap/matching/match_lanes_avx2.h"

#include <cstdint>

#include <immintrin.h>

namespace nerfpipe::sfm {
namespace {

using Element = int16_t;

inline Lanes AddProducts(Lanes sum, LaneElements a, LaneElements b) {
  return {_mm256_add_epi32(sum.v, _mm256_madd_epi16(a.v, b.v))};
}

}  // namespace
}  // namespace nerfpipe::sfm

#include "stages/colmap/matching/match_kernel_inl.h"

namespace nerfpipe::sfm {

MatchKernel Avx2MatchKernel() {
  return {"avx2", Lanes::kCount, ElementKind::kInt16, FindBest};
}

}  // namespace nerfpipe::sfm
