#pragma once

// Runs a test body once for every SIMD level that this machine offers.

#include <cstdint>
#include <functional>

#include <gtest/gtest.h>
#include <hwy/targets.h>

namespace nerfpipe::nerf::kernels {

inline void AtEverySimdLevel(const std::function<void()>& body) {
  const int64_t offered = hwy::SupportedTargets();
  int levels = 0;
  for (const int64_t target : {int64_t{HWY_SSE4},
                               int64_t{HWY_AVX2},
                               int64_t{HWY_AVX3},
                               int64_t{HWY_NEON}}) {
    if ((offered & target) == 0) continue;
    ++levels;
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(target);
    body();
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().DeInit();
  }
  EXPECT_GT(levels, 0);
}

}  // namespace nerfpipe::nerf::kernels
