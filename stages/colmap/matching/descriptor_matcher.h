#pragma once

// Exact brute-force matching of SIFT descriptors.

#include "stages/colmap/matching/match_kernel.h"

#include <cstdint>
#include <span>
#include <vector>

namespace nerfpipe::sfm {

// Indices of the two features.
struct FeatureMatch {
  uint32_t first = 0;
  uint32_t second = 0;
  bool operator==(const FeatureMatch&) const = default;
};

// Angles between descriptors, with the limits that COLMAP has by default.
struct MatchingRules {
  float max_ratio = 0.8f;     // of the best to the second best
  float max_distance = 0.7f;  // radians
};

// Those that this processor can run, the fastest last.
std::vector<MatchKernel> AvailableMatchKernels();

// Pairs that are each other's best and both pass the rules, ordered by
// `first`. Descriptors: kDescriptorSize bytes each, of length 512.
std::vector<FeatureMatch> MatchDescriptors(std::span<const uint8_t> first,
                                           std::span<const uint8_t> second,
                                           const MatchingRules& rules,
                                           const MatchKernel& kernel);

// With the fastest kernel.
std::vector<FeatureMatch> MatchDescriptors(std::span<const uint8_t> first,
                                           std::span<const uint8_t> second,
                                           const MatchingRules& rules = {});

// The same, but of `first` each only with its `candidates` in `second`: the
// second best, too, is looked for among those alone.
std::vector<FeatureMatch> MatchAmong(
    std::span<const uint8_t> first,
    std::span<const uint8_t> second,
    const std::vector<std::vector<uint32_t>>& candidates,
    const MatchingRules& rules = {});

}  // namespace nerfpipe::sfm
