#pragma once

// Put before a function, compiles it once for AVX2 and once for any processor;
// which one runs is chosen when the program starts. Without fused
// multiplication both round alike.
#if defined(__x86_64__) && defined(__linux__)
#define NERFPIPE_FOR_EACH_CPU __attribute__((target_clones("avx2", "default")))
#else
#define NERFPIPE_FOR_EACH_CPU
#endif
