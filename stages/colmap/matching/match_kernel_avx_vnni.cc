// Compiled with AVX-VNNI; called only where the processor has it.

#include "stages/colmap/matching/match_lanes_avx2.h"

#include <cstdint>

#include <immintrin.h>

namespace nerfpipe::sfm {
namespace {

using Element = uint8_t;

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
