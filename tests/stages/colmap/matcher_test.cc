#include "pipeline/base/random.h"
#include "stages/colmap/descriptor_matcher.h"
#include "stages/colmap/features.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes RandomDescriptors(int count, Random* random) {
  Bytes bytes(static_cast<size_t>(count) * kDescriptorSize);
  for (uint8_t& b : bytes) {
    // Squares: a few large elements, as in real descriptors of length 512.
    const double u = random->Uniform();
    b = static_cast<uint8_t>(100 * u * u);
  }
  return bytes;
}

// Copies of `from` in another order, most of them disturbed a little.
Bytes Shuffled(const Bytes& from, int count, Random* random) {
  const uint64_t sources = from.size() / kDescriptorSize;
  Bytes bytes;
  for (int i = 0; i < count; ++i) {
    const size_t source = random->Below(sources) * kDescriptorSize;
    const int noise = static_cast<int>(random->Below(12));
    for (int k = 0; k < kDescriptorSize; ++k) {
      const int value = from[source + k] +
                        static_cast<int>(random->Below(noise + 1)) - noise / 2;
      bytes.push_back(static_cast<uint8_t>(std::clamp(value, 0, 255)));
    }
  }
  return bytes;
}

int Dot(const Bytes& a, int i, const Bytes& b, int j) {
  int sum = 0;
  for (int k = 0; k < kDescriptorSize; ++k) {
    sum += a[static_cast<size_t>(i) * kDescriptorSize + k] *
           b[static_cast<size_t>(j) * kDescriptorSize + k];
  }
  return sum;
}

int NaivePartner(const Bytes& from,
                 int i,
                 const Bytes& to,
                 const MatchingRules& rules) {
  int best = 0, second = 0, index = -1;
  const int count = static_cast<int>(to.size() / kDescriptorSize);
  for (int j = 0; j < count; ++j) {
    const int score = Dot(from, i, to, j);
    if (score > best) {
      second = best;
      best = score;
      index = j;
    } else if (score > second) {
      second = score;
    }
  }
  const auto angle = [](int score) {
    return std::acos(std::min(1.0f / (512.0f * 512.0f) * score, 1.0f));
  };
  const bool accepted = index >= 0 && angle(best) <= rules.max_distance &&
                        angle(best) < rules.max_ratio * angle(second);
  return accepted ? index : -1;
}

std::vector<FeatureMatch> NaiveMatches(const Bytes& first,
                                       const Bytes& second,
                                       const MatchingRules& rules) {
  std::vector<FeatureMatch> matches;
  const int count = static_cast<int>(first.size() / kDescriptorSize);
  for (int i = 0; i < count; ++i) {
    const int j = NaivePartner(first, i, second, rules);
    if (j >= 0 && NaivePartner(second, j, first, rules) == i) {
      matches.push_back({static_cast<uint32_t>(i), static_cast<uint32_t>(j)});
    }
  }
  return matches;
}

TEST(MatchDescriptors, EveryKernelEqualsTheDoubleLoop) {
  Random random(1);
  // More columns than one panel; counts that are no multiple of anything.
  const Bytes first = RandomDescriptors(701, &random);
  const Bytes second = Shuffled(first, 1103, &random);
  const std::vector<FeatureMatch> expected = NaiveMatches(first, second, {});
  ASSERT_GT(expected.size(), 100u);
  ASSERT_LT(expected.size(), 600u);
  for (const MatchKernel& kernel : AvailableMatchKernels()) {
    EXPECT_EQ(MatchDescriptors(first, second, {}, kernel), expected)
        << kernel.name;
  }
}

TEST(MatchDescriptors, EqualDescriptorsAreNoMatch) {
  Random random(2);
  const Bytes one = RandomDescriptors(1, &random);
  Bytes two = one;
  two.insert(two.end(), one.begin(), one.end());
  for (const MatchKernel& kernel : AvailableMatchKernels()) {
    // Best equals second best.
    EXPECT_TRUE(MatchDescriptors(one, two, {}, kernel).empty()) << kernel.name;
    // Without a rival and without the ratio test, the pair stands.
    EXPECT_EQ(MatchDescriptors(one, one, {2.0f, 2.0f}, kernel),
              (std::vector<FeatureMatch>{{0, 0}}))
        << kernel.name;
  }
}

TEST(MatchDescriptors, LargestValuesDoNotOverflow) {
  const Bytes full(kDescriptorSize, 255);
  Bytes other(kDescriptorSize * 2, 255);
  for (int k = 0; k < kDescriptorSize; ++k) {
    other[k] = 1;
  }
  for (const MatchKernel& kernel : AvailableMatchKernels()) {
    // Angle 0 to the second, 1.4 to the first.
    EXPECT_EQ(MatchDescriptors(full, other, {}, kernel),
              (std::vector<FeatureMatch>{{0, 1}}))
        << kernel.name;
  }
}

TEST(MatchDescriptors, NothingMatchesNothing) {
  Random random(3);
  const Bytes some = RandomDescriptors(5, &random);
  for (const MatchKernel& kernel : AvailableMatchKernels()) {
    EXPECT_TRUE(MatchDescriptors(some, {}, {}, kernel).empty());
    EXPECT_TRUE(MatchDescriptors({}, some, {}, kernel).empty());
  }
}

}  // namespace
}  // namespace nerfpipe::sfm
