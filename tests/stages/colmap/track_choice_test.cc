#include "stages/colmap/mapping/track_choice.h"

#include "stages/colmap/matching/keyframes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

using ::testing::ElementsAre;

// Pictures of 120 x 80, which makes cells of 10 x 10.
constexpr int kCells = 10;
constexpr uint32_t kPerCell = 20;

// In each of ten cells 20 features go from the first picture to the second, of
// which `onwards` go on to the third; five more are alone in a corner of the
// first two. Thirty of the third, in one cell, are seen in a fourth.
struct Crowd {
  std::vector<Features> features{4};
  std::vector<MatchedPair> pairs{
      {0, 1, {}, {}}, {1, 2, {}, {}}, {2, 3, {}, {}}};

  explicit Crowd(uint32_t onwards) {
    for (Features& of_image : features) {
      for (int cell = 0; cell < kCells; ++cell) {
        of_image.keypoints.resize(of_image.keypoints.size() + kPerCell,
                                  {10.0f * cell + 5, 5, 1, 0, 0, 1});
      }
      of_image.keypoints.resize(of_image.keypoints.size() + 5,
                                {115, 75, 1, 0, 0, 1});
      of_image.keypoints.resize(of_image.keypoints.size() + 30,
                                {115, 5, 1, 0, 0, 1});
    }
    for (uint32_t i = 0; i < kCells * kPerCell + 5; ++i) {
      pairs[0].geometry.inliers.push_back({i, i});
      if (i < kCells * kPerCell && i % kPerCell >= kPerCell - onwards) {
        pairs[1].geometry.inliers.push_back({i, i});
      }
    }
    for (uint32_t i = 205; i < 235; ++i) {
      pairs[2].geometry.inliers.push_back({i, i});
    }
  }

  std::vector<MatchedPair> Chosen() const {
    return WithChosenTracks(
        pairs, features, CameraPrior{{2, 120, 80, {100, 60, 40, 0}}, false});
  }
};

TEST(WithChosenTracks, TakesEightOfTheLongestInACellAndWhatIsAlone) {
  const auto chosen = Crowd(12).Chosen();
  EXPECT_EQ(chosen[0].geometry.inliers.size(), 8u * kCells + 5);
  EXPECT_EQ(chosen[1].geometry.inliers.size(), 8u * kCells);
  for (const FeatureMatch& match : chosen[1].geometry.inliers) {
    EXPECT_GE(match.first % kPerCell, kPerCell - 12);
  }
}

TEST(WithChosenTracks, FillsUpWithShorterOnes) {
  const auto chosen = Crowd(6).Chosen();
  EXPECT_EQ(chosen[0].geometry.inliers.size(), 8u * kCells + 5);
  EXPECT_EQ(chosen[1].geometry.inliers.size(), 6u * kCells);
}

TEST(WithChosenTracks, LeavesPairsWithFewInliersWhole) {
  EXPECT_EQ(Crowd(12).Chosen()[2].geometry.inliers.size(), 30u);
}

MatchedPair Sharing(int first, int second, size_t inliers) {
  MatchedPair pair{first, second, {}, {}};
  pair.geometry.inliers.resize(inliers);
  return pair;
}

TEST(ChooseKeyframes, GoesAsFarAsMuchIsShared) {
  EXPECT_THAT(ChooseKeyframes(7,
                              {Sharing(0, 1, 1000),
                               Sharing(0, 2, 800),
                               Sharing(0, 3, 449),  // less than 0.45
                               Sharing(2, 3, 300),  // not many
                               Sharing(2, 4, 300),
                               Sharing(3, 4, 900),
                               Sharing(3, 6, 800)},
                              6),
              ElementsAre(0, 2, 3, 6));
}

TEST(ChooseKeyframes, StaysWithinHalfTheOverlapAndKeepsTheLast) {
  EXPECT_THAT(
      ChooseKeyframes(
          6, {Sharing(0, 2, 900), Sharing(0, 3, 900), Sharing(2, 4, 900)}, 4),
      ElementsAre(0, 2, 4, 5));
  EXPECT_THAT(ChooseKeyframes(1, {}, 10), ElementsAre(0));
}

}  // namespace
}  // namespace nerfpipe::sfm
