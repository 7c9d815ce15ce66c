#include "pipeline/base/random.h"
#include "stages/colmap/features/features.h"
#include "stages/colmap/matching/descriptor_matcher.h"
#include "stages/colmap/matching/guided_matching.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include <colmap/scene/two_view_geometry.h>
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

TEST(MatchAmong, AllCandidatesAreLikeNoChoice) {
  Random random(4);
  const Bytes first = RandomDescriptors(90, &random);
  const Bytes second = Shuffled(first, 140, &random);
  std::vector<uint32_t> all(140);
  std::iota(all.begin(), all.end(), 0u);
  EXPECT_EQ(
      MatchAmong(first, second, std::vector<std::vector<uint32_t>>(90, all)),
      MatchDescriptors(first, second));
}

// Twenty features, each twice: a camera that goes sideways by a tenth of the
// depth sees every one 100 pixels further left, in the same row.
struct Repeated {
  Features first;
  Features second;
  TwoView geometry;

  Repeated() {
    Bytes descriptors(20 * kDescriptorSize);
    for (int i = 0; i < 20; ++i) {  // four elements of their own each
      std::fill_n(descriptors.begin() + i * kDescriptorSize + 4 * i, 4, 255);
    }
    for (int copy = 0; copy < 2; ++copy) {
      for (int i = 0; i < 20; ++i) {
        const auto x = 300.0f + 10 * i;
        const auto y = 50.0f + 20 * i + 300 * copy;
        first.keypoints.push_back({x, y, 1, 0, 0, 1});
        second.keypoints.push_back({x - 100, y + 3, 1, 0, 0, 1});
      }
      for (Features* features : {&first, &second}) {
        features->descriptors.insert(features->descriptors.end(),
                                     descriptors.begin(),
                                     descriptors.end());
      }
    }
  }
};

TEST(MatchGuided, TellsRepeatedThingsApartByTheirPlace) {
  Repeated scene;
  EXPECT_TRUE(
      MatchDescriptors(scene.first.descriptors, scene.second.descriptors)
          .empty());
  EXPECT_TRUE(MatchGuided(scene.geometry, scene.first, scene.second).empty());
  std::vector<FeatureMatch> each;
  for (uint32_t i = 0; i < 40; ++i) each.push_back({i, i});
  // Rows onto rows.
  scene.geometry.config =
      colmap::TwoViewGeometry::ConfigurationType::UNCALIBRATED;
  scene.geometry.fundamental << 0, 0, 0, 0, 0, -7, 0, 7, 0;
  EXPECT_EQ(MatchGuided(scene.geometry, scene.first, scene.second), each);
  // 3 pixels off are too many for 2.
  EXPECT_TRUE(
      MatchGuided(scene.geometry, scene.first, scene.second, 2).empty());
  scene.geometry.config =
      colmap::TwoViewGeometry::ConfigurationType::PLANAR_OR_PANORAMIC;
  scene.geometry.homography << 2, 0, -200, 0, 2, 0, 0, 0, 2;
  EXPECT_EQ(MatchGuided(scene.geometry, scene.first, scene.second), each);
}

}  // namespace
}  // namespace nerfpipe::sfm
