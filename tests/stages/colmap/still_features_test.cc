#include "stages/colmap/matching/still_features.h"

#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

constexpr double kDiagonal = 1000;

// Six images of `still` features that stand still (they tremble by a pixel) and
// `moving` ones that go 4 pixels for each image, in turn. Feature i of one is
// feature i of the others; all pairs are matched.
struct Turntable {
  std::vector<Features> features;
  std::vector<MatchedPair> pairs;
  std::vector<bool> is_still;

  Turntable(int still, int moving, double speed = 4) {
    for (int i = 0; i < 6; ++i) {
      Features& of_image = features.emplace_back();
      is_still.clear();
      for (int k = 0; k < still + moving; ++k) {
        // Mixed evenly.
        const bool stays =
            (k + 1) * still / (still + moving) > k * still / (still + moving);
        is_still.push_back(stays);
        const double x = 20 + 7.0 * k + (stays ? i % 2 : speed * i);
        of_image.keypoints.push_back({static_cast<float>(x), 50.0f - k});
        of_image.descriptors.insert(of_image.descriptors.end(),
                                    kDescriptorSize,
                                    static_cast<uint8_t>(k));
      }
    }
    for (int i = 0; i < 6; ++i) {
      for (int j = i + 1; j < 6; ++j) {
        MatchedPair& pair = pairs.emplace_back();
        pair.first = i;
        pair.second = j;
        for (int k = 0; k < still + moving; ++k) {
          pair.matches.push_back(
              {static_cast<uint32_t>(k), static_cast<uint32_t>(k)});
        }
      }
    }
  }

  std::vector<std::vector<bool>> Found() const {
    return FindStillFeatures(pairs, features, kDiagonal);
  }
};

TEST(FindStillFeatures, AreThoseOfTheRoomBehindATurntable) {
  const Turntable scene(20, 60);
  const auto found = scene.Found();
  ASSERT_EQ(found.size(), 6u);
  for (const auto& of_image : found) EXPECT_EQ(of_image, scene.is_still);
}

TEST(FindStillFeatures, FewAreNoPartOfThePicture) {
  EXPECT_FALSE(Turntable(15, 40).Found().empty());
  EXPECT_TRUE(Turntable(14, 40).Found().empty());
  EXPECT_FALSE(Turntable(20, 79).Found().empty());
  EXPECT_TRUE(Turntable(20, 80).Found().empty());  // no more than a fifth
}

TEST(FindStillFeatures, SomethingHasToMove) {
  EXPECT_TRUE(Turntable(60, 0).Found().empty());
  EXPECT_TRUE(Turntable(60, 14).Found().empty());
  EXPECT_FALSE(Turntable(60, 15).Found().empty());
  // 6 in a thousand of the diagonal, over two images and more.
  EXPECT_TRUE(Turntable(20, 60, 1).Found().empty());
}

// Far things are nearly still from one frame to the next.
TEST(FindStillFeatures, NeighboursAreNotAsked) {
  Turntable scene(20, 60, 8);
  EXPECT_FALSE(scene.Found().empty());
  std::erase_if(scene.pairs, [](const MatchedPair& pair) {
    return pair.second - pair.first > 1;
  });
  EXPECT_TRUE(scene.Found().empty());
}

TEST(FindStillFeatures, MostPairsMustShowThem) {
  // Of the ten pairs that are asked, so many have nothing still in common.
  const auto without = [](int pairs) {
    Turntable scene(20, 60);
    for (MatchedPair& pair : scene.pairs) {
      if (pair.second - pair.first < 2 || pairs-- <= 0) continue;
      std::erase_if(pair.matches, [&](const FeatureMatch& match) {
        return scene.is_still[match.first];
      });
    }
    return scene.Found();
  };
  EXPECT_FALSE(without(4).empty());
  EXPECT_TRUE(without(5).empty());
}

TEST(WithoutFeatures, KeepsTheOthersWhole) {
  const Turntable scene(1, 3);
  const Features kept =
      WithoutFeatures(scene.features[2], {false, true, false, true});
  ASSERT_EQ(kept.Count(), 2);
  EXPECT_EQ(kept.keypoints[0], scene.features[2].keypoints[0]);
  EXPECT_EQ(kept.keypoints[1], scene.features[2].keypoints[2]);
  ASSERT_EQ(kept.descriptors.size(), 2u * kDescriptorSize);
  EXPECT_EQ(kept.descriptors[kDescriptorSize - 1], 0);
  EXPECT_EQ(kept.descriptors[kDescriptorSize], 2);
}

}  // namespace
}  // namespace nerfpipe::sfm
