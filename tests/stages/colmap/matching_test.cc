// Matches of a whole capture, and what is kept of them between two sittings.

#include "stages/colmap/matching/matching.h"

#include "stages/colmap/matching/pair_list.h"
#include "tests/stages/colmap/scene_features.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>
#include <utility>

#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

namespace fs = std::filesystem;

class MatchAllPairsTest : public ::testing::Test {
 protected:
  std::vector<MatchedPair> Match(const SceneFeatures& scene,
                                 const fs::path& scratch,
                                 int threads = 2) {
    std::vector<ImagePair> pairs =
        NeighbourPairs(static_cast<int>(scene.names.size()), 2);
    std::reverse(pairs.begin(), pairs.end());
    return MatchAllPairs(scene.names,
                         scene.features,
                         scene.prior,
                         pairs,
                         {scratch, threads, 1, &SilentReport()});
  }

  // What the two sittings find, the second in the folder of the first, is what
  // the second finds by itself.
  void ExpectNothingIsMixedIn(const SceneFeatures& first,
                              const SceneFeatures& second) {
    Match(first, folder_ / "resumed");
    EXPECT_EQ(SerializePairs(Match(second, folder_ / "resumed")),
              SerializePairs(Match(second, folder_ / "fresh")));
  }

  const TemporaryFolder folder_;
};

TEST_F(MatchAllPairsTest, FindsTheSamePointsInTheOrderOfTheImages) {
  const SceneFeatures scene;
  const std::vector<MatchedPair> pairs = Match(scene, folder_);
  const std::vector<ImagePair> wanted = NeighbourPairs(kSceneCameras, 2);
  ASSERT_EQ(pairs.size(), wanted.size());
  for (size_t i = 0; i < pairs.size(); ++i) {
    EXPECT_EQ(ImagePair(pairs[i].first, pairs[i].second), wanted[i]);
    const std::vector<int>& first = scene.points[pairs[i].first];
    const std::vector<int>& second = scene.points[pairs[i].second];
    EXPECT_GE(pairs[i].matches.size(), 55u);
    for (const FeatureMatch& match : pairs[i].matches) {
      EXPECT_EQ(first[match.first], second[match.second]);
    }
    EXPECT_GE(pairs[i].geometry.inliers.size(), 50u);
  }
}

TEST_F(MatchAllPairsTest, FinishedFilesAreGoneOnWith) {
  const SceneFeatures scene;
  const std::string whole = SerializePairs(Match(scene, folder_));
  const auto long_ago =
      fs::file_time_type::clock::now() - std::chrono::hours(100);
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder_ / "pairs")) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  ASSERT_EQ(files.size(), static_cast<size_t>(kSceneCameras - 1));
  fs::resize_file(files[2], fs::file_size(files[2]) - 1);
  fs::resize_file(files[5], 3);
  for (const fs::path& file : files) fs::last_write_time(file, long_ago);
  EXPECT_EQ(SerializePairs(Match(scene, folder_, 1)), whole);
  for (size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(fs::last_write_time(files[i]) == long_ago, i != 2 && i != 5) << i;
  }
}

// A frame was taken between two others: numbers stand for other images.
TEST_F(MatchAllPairsTest, MatchesOfOtherImagesAreNotMixedIn) {
  const SceneFeatures all;
  SceneFeatures before = all;
  before.names.erase(before.names.begin() + 4);
  before.features.erase(before.features.begin() + 4);
  ExpectNothingIsMixedIn(before, all);
}

TEST_F(MatchAllPairsTest, MatchesOfOtherFeaturesAreNotMixedIn) {
  const SceneFeatures scene;
  SceneFeatures fewer = scene;
  for (Features& features : fewer.features) {
    features.keypoints.resize(features.keypoints.size() - 20);
    features.descriptors.resize(features.keypoints.size() * kDescriptorSize);
  }
  ExpectNothingIsMixedIn(scene, fewer);
}

TEST_F(MatchAllPairsTest, MatchesForAnotherLensAreNotMixedIn) {
  const SceneFeatures scene;
  SceneFeatures other = scene;
  other.prior.camera.params = {90, 90, 26.5, 18.5};
  ExpectNothingIsMixedIn(scene, other);
}

// Image i has the first of these many features of one list.
std::vector<Features> Nested(const std::vector<int>& counts) {
  Random random(3);
  Features all;
  all.keypoints.resize(700);
  all.descriptors.resize(700 * kDescriptorSize);
  for (uint8_t& byte : all.descriptors) {
    const double u = random.Uniform();
    byte = static_cast<uint8_t>(100 * u * u);
  }
  std::vector<Features> features;
  for (const int count : counts) {
    Features of_image = all;
    of_image.keypoints.resize(count);
    of_image.descriptors.resize(static_cast<size_t>(count) * kDescriptorSize);
    features.push_back(of_image);
  }
  return features;
}

class FilterTest : public ::testing::Test {
 protected:
  std::set<ImagePair> Filter(const std::vector<Features>& features) {
    const std::vector<ImagePair> pairs = FilterByLargestFeatures(
        ExhaustivePairs(static_cast<int>(features.size())),
        features,
        {folder_, 2, 1, &SilentReport()});
    EXPECT_TRUE(std::is_sorted(pairs.begin(), pairs.end()));
    return {pairs.begin(), pairs.end()};
  }

  const TemporaryFolder folder_;
};

TEST_F(FilterTest, SixCommonFeaturesAreNoAccident) {
  EXPECT_EQ(Filter(Nested({6, 7, 5})), (std::set<ImagePair>{{0, 1}}));
}

// Of two images the fewer features count: 12 of image 11's partners tie.
TEST_F(FilterTest, KeepsTheBestEightOfEitherImage) {
  const auto chosen =
      Filter(Nested({20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31}));
  for (int i = 0; i < 12; ++i) {
    for (int j = i + 1; j < 12; ++j) {
      // More alike to j than i is: those between i and the end.
      const int better_of_second = 11 - i - 1;
      // Partners of i that follow it tie; earlier numbers come first.
      const int better_of_first = j - i - 1;
      EXPECT_EQ(chosen.contains({i, j}),
                better_of_first < 8 || better_of_second < 8)
          << i << ", " << j;
    }
  }
}

TEST_F(FilterTest, LooksAtTheLargestFeaturesAlone) {
  std::vector<Features> features = Nested({320, 700});
  const auto turn = [&](int by) {
    std::vector<uint8_t>& descriptors = features[1].descriptors;
    std::rotate(descriptors.begin(),
                descriptors.begin() + by * kDescriptorSize,
                descriptors.end());
  };
  turn(200);
  EXPECT_EQ(Filter(features).size(), 1u);  // 200 to 299 are in both
  // Those from 305 on are in both as well, but not among the first's largest.
  turn(105);
  EXPECT_TRUE(Filter(features).empty());
}

}  // namespace
}  // namespace nerfpipe::sfm
