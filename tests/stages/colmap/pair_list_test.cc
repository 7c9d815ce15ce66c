#include "stages/colmap/matching/pair_list.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

using ::testing::ElementsAre;

TEST(PairList, ExhaustiveIsEveryPairOnce) {
  EXPECT_THAT(ExhaustivePairs(3),
              ElementsAre(ImagePair(0, 1), ImagePair(0, 2), ImagePair(1, 2)));
  EXPECT_EQ(ExhaustivePairs(50).size(), 1225u);
}

TEST(PairList, SequentialHasNeighboursAndPowersOfTwo) {
  std::vector<int> partners;
  for (const auto& [i, j] : SequentialPairs(100, 3)) {
    if (i == 10) {
      partners.push_back(j);
    }
  }
  EXPECT_THAT(partners, ElementsAre(11, 12, 13, 14, 18, 26, 42, 74));
}

TEST(PairList, NeighboursAreTheNextFew) {
  EXPECT_THAT(NeighbourPairs(4, 2),
              ElementsAre(ImagePair(0, 1),
                          ImagePair(0, 2),
                          ImagePair(1, 2),
                          ImagePair(1, 3),
                          ImagePair(2, 3)));
}

TEST(PairList, LoopCandidatesAreTheOtherPairsUpTo150Images) {
  const auto sequential = SequentialPairs(120, 10);
  const auto loops = LoopCandidates(120, 10);
  std::set<ImagePair> all(sequential.begin(), sequential.end());
  all.insert(loops.begin(), loops.end());
  EXPECT_EQ(all.size(), sequential.size() + loops.size());
  EXPECT_EQ(all.size(), 120u * 119 / 2);
}

TEST(PairList, LoopCandidatesOfLongClipsStayFewAndJoinTheEnds) {
  for (const int images : {151, 184, 400, 1000}) {
    const auto loops = LoopCandidates(images, 10);
    EXPECT_LT(loops.size(), 15000u) << images;
    // Each of the last images meets each of the first.
    for (int i = 0; i < 10; ++i) {
      for (int j = images - 10; j < images; ++j) {
        const int distance = j - i;
        if ((distance & (distance - 1)) != 0) {
          EXPECT_TRUE(
              std::binary_search(loops.begin(), loops.end(), ImagePair(i, j)))
              << images << ": " << i << " " << j;
        }
      }
    }
  }
}

}  // namespace
}  // namespace nerfpipe::sfm
