#include "stages/colmap/matching/descriptor_matcher.h"

#include "pipeline/base/error.h"
#include "stages/colmap/features/features.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace nerfpipe::sfm {
namespace {

int RoundUp(int count, int multiple) {
  return (count + multiple - 1) / multiple * multiple;
}

template <typename Element>
std::vector<Element> PackRows(std::span<const uint8_t> descriptors,
                              int padded) {
  std::vector<Element> packed(static_cast<size_t>(padded) * kDescriptorSize);
  std::copy(descriptors.begin(), descriptors.end(), packed.begin());
  return packed;
}

// `zero` is subtracted from each element.
template <typename Element>
std::vector<Element> PackColumns(std::span<const uint8_t> descriptors,
                                 int padded,
                                 int lanes,
                                 int zero) {
  constexpr int kPerLane = 4 / sizeof(Element);
  std::vector<Element> packed(static_cast<size_t>(padded) * kDescriptorSize,
                              static_cast<Element>(-zero));
  const int count = static_cast<int>(descriptors.size() / kDescriptorSize);
  for (int i = 0; i < count; ++i) {
    const uint8_t* from =
        descriptors.data() + static_cast<size_t>(i) * kDescriptorSize;
    Element* to = packed.data() +
                  static_cast<size_t>(i / lanes) * lanes * kDescriptorSize +
                  kPerLane * (i % lanes);
    for (int k = 0; k < kDescriptorSize; ++k) {
      to[lanes * (k - k % kPerLane) + k % kPerLane] =
          static_cast<Element>(from[k] - zero);
    }
  }
  return packed;
}

struct ScoreTable {
  std::vector<int32_t> best;
  std::vector<int32_t> second;
  std::vector<int32_t> index;

  explicit ScoreTable(int count)
      : best(count, 0), second(count, 0), index(count, -1) {}
  BestScores Pointers() { return {best.data(), second.data(), index.data()}; }
};

// The accepted partner of each descriptor, or -1.
std::vector<int> AcceptedPartners(const ScoreTable& scores,
                                  int count,
                                  const MatchingRules& rules) {
  const auto angle = [](int32_t score) {
    constexpr float kUnit = 1.0f / (512.0f * 512.0f);
    return std::acos(std::min(kUnit * static_cast<float>(score), 1.0f));
  };
  std::vector<int> partners(count, -1);
  for (int i = 0; i < count; ++i) {
    if (scores.index[i] < 0) {
      continue;
    }
    const float best = angle(scores.best[i]);
    if (best <= rules.max_distance &&
        best < rules.max_ratio * angle(scores.second[i])) {
      partners[i] = scores.index[i];
    }
  }
  return partners;
}

// Pairs that accept each other.
std::vector<FeatureMatch> Mutual(const ScoreTable& row_best,
                                 int rows,
                                 const ScoreTable& column_best,
                                 int columns,
                                 const MatchingRules& rules) {
  const std::vector<int> forth = AcceptedPartners(row_best, rows, rules);
  const std::vector<int> back = AcceptedPartners(column_best, columns, rules);
  std::vector<FeatureMatch> matches;
  for (int i = 0; i < rows; ++i) {
    if (forth[i] >= 0 && back[forth[i]] == i) {
      matches.push_back(
          {static_cast<uint32_t>(i), static_cast<uint32_t>(forth[i])});
    }
  }
  return matches;
}

void Offer(int32_t score, int32_t partner, int32_t of, ScoreTable* table) {
  if (score > table->best[of]) {
    table->second[of] = table->best[of];
    table->best[of] = score;
    table->index[of] = partner;
  } else {
    table->second[of] = std::max(table->second[of], score);
  }
}

int Count(std::span<const uint8_t> descriptors) {
  NERFPIPE_CHECK(descriptors.size() % kDescriptorSize == 0);
  return static_cast<int>(descriptors.size() / kDescriptorSize);
}

#if defined(__x86_64__)
// Clang 14 does not know it by name.
bool HasAvxVnni() {
  unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (!__builtin_cpu_supports("avx2") ||
      __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || eax < 1) {
    return false;  // without the list that it would stand in
  }
  __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx);
  return (eax & (1u << 4)) != 0;
}
#endif

}  // namespace

std::vector<MatchKernel> AvailableMatchKernels() {
  std::vector<MatchKernel> kernels = {BaseMatchKernel()};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) {
    kernels.push_back(Avx2MatchKernel());
  }
  if (HasAvxVnni()) {
    kernels.push_back(AvxVnniMatchKernel());
  }
  if (__builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vnni")) {
    kernels.push_back(Avx512VnniMatchKernel());
  }
#endif
  return kernels;
}

std::vector<FeatureMatch> MatchDescriptors(std::span<const uint8_t> first,
                                           std::span<const uint8_t> second,
                                           const MatchingRules& rules,
                                           const MatchKernel& kernel) {
  const int rows = Count(first);
  const int columns = Count(second);
  const int padded_rows = RoundUp(rows, kRowsPerTile);
  const int padded_columns = RoundUp(columns, 2 * kernel.lanes);
  ScoreTable row_best(padded_rows);
  ScoreTable column_best(padded_columns);
  const auto run = [&](const auto& packed_rows, const auto& packed_columns) {
    kernel.run({packed_rows.data(),
                padded_rows,
                packed_columns.data(),
                padded_columns},
               row_best.Pointers(),
               column_best.Pointers());
  };
  if (kernel.elements == ElementKind::kByte) {
    run(PackRows<uint8_t>(first, padded_rows),
        PackColumns<int8_t>(second, padded_columns, kernel.lanes, 128));
  } else {
    run(PackRows<int16_t>(first, padded_rows),
        PackColumns<int16_t>(second, padded_columns, kernel.lanes, 0));
  }
  return Mutual(row_best, rows, column_best, columns, rules);
}

std::vector<FeatureMatch> MatchDescriptors(std::span<const uint8_t> first,
                                           std::span<const uint8_t> second,
                                           const MatchingRules& rules) {
  static const MatchKernel kernel = AvailableMatchKernels().back();
  return MatchDescriptors(first, second, rules, kernel);
}

std::vector<FeatureMatch> MatchAmong(
    std::span<const uint8_t> first,
    std::span<const uint8_t> second,
    const std::vector<std::vector<uint32_t>>& candidates,
    const MatchingRules& rules) {
  const int rows = Count(first);
  const int columns = Count(second);
  ScoreTable row_best(rows);
  ScoreTable column_best(columns);
  for (int i = 0; i < rows; ++i) {
    const uint8_t* a = first.data() + static_cast<size_t>(i) * kDescriptorSize;
    for (const uint32_t j : candidates[i]) {
      const uint8_t* b =
          second.data() + static_cast<size_t>(j) * kDescriptorSize;
      const int32_t score = std::inner_product(a, a + kDescriptorSize, b, 0);
      Offer(score, static_cast<int32_t>(j), i, &row_best);
      Offer(score, i, static_cast<int32_t>(j), &column_best);
    }
  }
  return Mutual(row_best, rows, column_best, columns, rules);
}

}  // namespace nerfpipe::sfm
