// The rungs, as far as they are told from the solution that they begin with.

#include "stages/colmap/rungs.h"

#include "stages/media/image_file.h"
#include "stages/media/video_writer.h"
#include "tests/listener.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Three frames of a clip, 0, 6 and 12, with 1, 2 and 3 features. The first two
// are in a model; the third is alone.
class RungsTest : public ::testing::Test {
 protected:
  RungsTest() {
    job_.frames = folder_ / "frames";
    job_.names = {"00001.jpg", "00002.jpg", "00003.jpg"};
    job_.clip = folder_ / "clip.mp4";
    job_.clip_indices = {0, 6, 12};
    job_.width = 74;
    job_.height = 46;
    job_.place = {folder_ / "scratch", 2, 2, &report_};
    fs::create_directories(job_.frames);
    fs::create_directories(job_.place.scratch);
    best_.frames = job_.frames;
    best_.names = job_.names;
    best_.cameras = PriorsOf(job_, "OPENCV");
    best_.feature_options.max_features = 100;
    for (int i = 0; i < 3; ++i) {
      WriteImage(Image(74, 46, 3), job_.frames / job_.names[i]);
      Features& features = best_.features.emplace_back();
      features.keypoints.resize(i + 1);
      features.descriptors.resize((i + 1) * kDescriptorSize);
    }
    best_.pairs.resize(2);
    best_.pairs[0].second = 1;
    best_.pairs[1].first = 1;
    best_.pairs[1].second = 2;
    best_.mapping.models.resize(1);
    best_.mapping.models[0].images[1].name = "00001.jpg";
    best_.mapping.models[0].images[2].name = "00002.jpg";
    best_.mapping.chosen = 0;
  }

  void WriteClip() {
    VideoWriter writer(job_.clip, 74, 46, 25);
    for (int i = 0; i < 13; ++i) writer.Write(Image(74, 46, 3));
    writer.Finish();
  }

  const TemporaryFolder folder_;
  Listener report_;
  SolveJob job_;
  Solution best_;
};

TEST_F(RungsTest, FramesBetweenMoveTheOthersUp) {
  WriteClip();
  const std::optional<Solution> next = WithFramesBetween(job_, best_);
  ASSERT_TRUE(next.has_value());
  EXPECT_THAT(next->names,
              ElementsAre("00001.jpg",
                          "00002.jpg",
                          "00002_1.jpg",
                          "00002_2.jpg",
                          "00002_3.jpg",
                          "00002_4.jpg",
                          "00002_5.jpg",
                          "00003.jpg"));
  ASSERT_EQ(next->features.size(), 8u);
  EXPECT_EQ(next->features[1].Count(), 2);
  EXPECT_EQ(next->features[7].Count(), 3);
  std::vector<ImagePair> pairs = PairsOf(*next);
  EXPECT_EQ(pairs[0], ImagePair(0, 1));
  EXPECT_EQ(pairs[1], ImagePair(1, 7));
  // With the new ones, all up to ten apart: each with each, once.
  EXPECT_EQ(pairs.size(), 28u);
  EXPECT_NE(next->frames, job_.frames);
  for (const std::string& name : next->names) {
    EXPECT_TRUE(fs::exists(next->frames / name)) << name;
  }
  // Once is enough.
  EXPECT_FALSE(WithFramesBetween(job_, *next).has_value());
}

// An earlier sitting, with less memory, may have found other breaks.
TEST_F(RungsTest, FeaturesOfOtherFramesBetweenAreNotMixedIn) {
  {
    // From the seventh frame on the pictures show something.
    VideoWriter writer(job_.clip, 74, 46, 25);
    for (int i = 0; i < 13; ++i) {
      Image picture(74, 46, 3);
      for (int y = 15; i > 6 && y < 30; ++y) {
        for (int x = 20; x < 40; ++x) std::fill_n(picture.At(x, y), 3, 255);
      }
      writer.Write(picture);
    }
    writer.Finish();
  }
  job_.clip_indices = {0, 0, 6};
  const std::optional<Solution> dark = WithFramesBetween(job_, best_);
  ASSERT_TRUE(dark.has_value());
  EXPECT_EQ(dark->features[4].Count(), 0);
  job_.clip_indices = {0, 6, 12};
  const std::optional<Solution> light = WithFramesBetween(job_, best_);
  ASSERT_TRUE(light.has_value());
  EXPECT_EQ(light->names, dark->names);
  EXPECT_GT(light->features[4].Count(), 0);
}

// Ellipses are looked for with as many features as have helped before.
TEST_F(RungsTest, FeaturesOfAnotherNumberAreNotMixedIn) {
  Image picture(74, 46, 3);
  for (int y = 0; y < 46; ++y) {
    for (int x = 0; x < 74; ++x) {
      const bool white = x % 12 > 6 && y % 11 > 5;
      std::fill_n(picture.At(x, y), 3, white ? 200 : 30);
    }
  }
  for (const std::string& name : job_.names) {
    WriteImage(picture, job_.frames / name);
  }
  best_.feature_options.max_features = 3;
  const std::optional<Solution> few = WithEllipses(job_, best_);
  best_.feature_options.max_features = 100;
  const std::optional<Solution> more = WithEllipses(job_, best_);
  ASSERT_TRUE(few.has_value() && more.has_value());
  EXPECT_EQ(few->features[0].Count(), 3);
  EXPECT_GT(more->features[0].Count(), 3);
}

TEST_F(RungsTest, FramesBetweenNeedAClip) {
  EXPECT_FALSE(WithFramesBetween(job_, best_).has_value());
  WriteClip();
  job_.video = false;
  EXPECT_FALSE(WithFramesBetween(job_, best_).has_value());
  job_.video = true;
  // Nothing is broken.
  best_.mapping.models[0].images[3].name = "00003.jpg";
  EXPECT_FALSE(WithFramesBetween(job_, best_).has_value());
}

// Six features are there; five frames may bring 100 each, three images 200.
TEST_F(RungsTest, WithoutRoomThereAreNoMoreFeatures) {
  WriteClip();
  const auto told = HasSubstr("no memory for more features: a larger --mem");
  job_.memory.most_features = 505;
  int64_t memory_wanted = 0;
  job_.memory_wanted = &memory_wanted;
  EXPECT_FALSE(WithFramesBetween(job_, best_).has_value());
  EXPECT_THAT(report_.details, ElementsAre(told));
  EXPECT_EQ(memory_wanted, job_.memory.LimitFor(506));
  job_.memory.most_features = 605;
  EXPECT_FALSE(WithMoreFeatures(job_, best_).has_value());
  EXPECT_EQ(report_.details.size(), 2u);
  EXPECT_EQ(memory_wanted, job_.memory.LimitFor(606));
  job_.memory.most_features = 305;
  EXPECT_FALSE(WithEllipses(job_, best_).has_value());
  EXPECT_EQ(report_.details.size(), 3u);
  EXPECT_EQ(memory_wanted, job_.memory.LimitFor(606));
  job_.memory.most_features = 506;
  EXPECT_TRUE(WithFramesBetween(job_, best_).has_value());
  EXPECT_EQ(report_.details.size(), 3u);
}

TEST_F(RungsTest, MoreFeaturesAreTwiceAsMany) {
  job_.memory.most_features = 606;
  const std::optional<Solution> more = WithMoreFeatures(job_, best_);
  ASSERT_TRUE(more.has_value());
  EXPECT_EQ(more->feature_options.max_features, 200);
  EXPECT_FALSE(more->feature_options.affine);
  EXPECT_EQ(PairsOf(*more), PairsOf(best_));
  EXPECT_EQ(more->features[2].Count(), 0);  // the pictures are black
  const std::optional<Solution> ellipses = WithEllipses(job_, best_);
  ASSERT_TRUE(ellipses.has_value());
  EXPECT_EQ(ellipses->feature_options.max_features, 100);
  EXPECT_TRUE(ellipses->feature_options.affine);
}

TEST_F(RungsTest, MorePairsAreThoseThatWereNotMatched) {
  // (0, 2) fits nothing, so there is nothing to map.
  EXPECT_FALSE(WithMorePairs(job_, best_).has_value());
  EXPECT_EQ(AddPairs(job_, {{0, 1}, {0, 2}}, "way", &best_), 0);
  EXPECT_EQ(PairsOf(best_).size(), 3u);
  EXPECT_EQ(AddPairs(job_, {{0, 1}, {0, 2}}, "way", &best_), 0);
  EXPECT_EQ(PairsOf(best_).size(), 3u);
}

TEST_F(RungsTest, GuidedMatchingThatFindsNoMoreIsNoWay) {
  EXPECT_FALSE(WithGuidedMatching(job_, best_).has_value());
}

TEST_F(RungsTest, ARicherLensIsForThoseWhoLeaveItOpen) {
  best_.cameras = PriorsOf(job_, "SIMPLE_RADIAL");
  job_.options.camera_model = "auto";
  const std::optional<Solution> next = WithRicherLens(job_, best_);
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->cameras.cameras[0].camera.model_id, 3);
  EXPECT_FALSE(WithRicherLens(job_, *next).has_value());
  job_.options.camera_model = "SIMPLE_RADIAL";
  EXPECT_FALSE(WithRicherLens(job_, best_).has_value());
}

TEST_F(RungsTest, ASimplerLensIsForThoseWithManyParameters) {
  for (const char* model : {"SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL"}) {
    job_.options.camera_model = model;
    EXPECT_FALSE(WithSimplerLens(job_, best_).has_value()) << model;
  }
  for (const char* model : {"RADIAL", "OPENCV"}) {
    job_.options.camera_model = model;
    const std::optional<Solution> next = WithSimplerLens(job_, best_);
    ASSERT_TRUE(next.has_value()) << model;
    EXPECT_EQ(next->cameras.cameras[0].camera.model_id, 2);
    // It is the one already.
    EXPECT_FALSE(WithSimplerLens(job_, *next).has_value());
  }
}

TEST_F(RungsTest, PlacedAreImagesOfTheJob) {
  best_.mapping.models.emplace_back();
  best_.mapping.models[1].images[7].name = "00003.jpg";
  best_.mapping.models[0].images[8].name = "00002_1.jpg";
  EXPECT_EQ(Registered(job_, best_), 2);
  EXPECT_EQ(RegisteredAnywhere(job_, best_), 3);
  best_.mapping.chosen = -1;
  EXPECT_EQ(Registered(job_, best_), 0);
}

}  // namespace
}  // namespace nerfpipe::sfm
