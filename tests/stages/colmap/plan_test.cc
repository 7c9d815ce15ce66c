// What is known before anything is searched for: memory and lens.

#include "pipeline/base/atomic_file.h"
#include "stages/colmap/matching/camera_prior.h"
#include "stages/colmap/memory_plan.h"
#include "stages/media/image_file.h"
#include "tests/temporary_folder.h"

#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

using ::testing::ElementsAre;

// A hundred images of 800 x 600 with 4096 features each. Features take 286.72
// MB, the libraries 250, a thread 141.12 (doubled, 18 images of 4 bytes, and
// the picture).
MemoryPlan Plan(int64_t memory,
                int width = 800,
                int height = 600,
                int max_image_size = 1600) {
  return PlanMemory(
      width, height, 100, {max_image_size, 4096}, 8, {memory, memory});
}

TEST(PlanMemory, AsManyThreadsAsFit) {
  const MemoryPlan plan = Plan(1000000000);
  EXPECT_EQ(plan.threads, 3);
  EXPECT_EQ(plan.image_size, 1600);
  EXPECT_NEAR(plan.bytes, 536.72e6 + 3 * 141.12e6, 1);
  EXPECT_EQ(plan.most_features,
            static_cast<int64_t>((1000e6 - 250e6 - 141.12e6) / 700));
  EXPECT_EQ(Plan(959000000).threads, 2);
  EXPECT_EQ(Plan(961000000).threads, 3);
  EXPECT_EQ(Plan(64000000000).threads, 8);
}

TEST(PlanMemory, NothingSaidSetsNoBound) {
  const MemoryPlan plan = Plan(0);
  EXPECT_EQ(plan.threads, 8);
  EXPECT_EQ(plan.image_size, 1600);
  EXPECT_NEAR(plan.bytes, 536.72e6 + 8 * 141.12e6, 1);
  EXPECT_GT(plan.most_features, int64_t{1} << 60);
}

// Whatever else runs, the same is found.
TEST(PlanMemory, WhatIsFreeChangesTheThreadsAlone) {
  const auto plan = [](int64_t now) {
    return PlanMemory(800, 600, 100, {1600, 4096}, 8, {now, 1000000000});
  };
  EXPECT_EQ(plan(1000000000).threads, 3);
  EXPECT_EQ(plan(300000000).threads, 1);
  EXPECT_EQ(plan(300000000).image_size, 1600);
  EXPECT_EQ(plan(300000000).most_features, plan(1000000000).most_features);
}

// With more features of all images there is less room for threads: 141.12 MB
// each beside 250 and 700 bytes a feature.
TEST(PlanMemory, FeaturesTakeTheRoomOfThreads) {
  const MemoryPlan plan = Plan(1000000000);
  EXPECT_EQ(plan.ThreadsBeside(409600), 3);
  EXPECT_EQ(plan.ThreadsBeside(800000), 1);
  EXPECT_EQ(plan.LimitFor(100000), 250000000 + 141120000 + 70000000);
}

TEST(PlanMemory, LargeImagesAreSearchedAtTheSizeAskedFor) {
  // 1600 of 3200 pixels: a quarter of the area, and the whole picture.
  const double each = 288.0 / 4 * 3200 * 2401 + 6.0 * 3200 * 2401;
  EXPECT_NEAR(Plan(0, 3200, 2401).bytes, 536.72e6 + 8 * each, 1);
  EXPECT_NEAR(Plan(0, 2401, 3200).bytes, 536.72e6 + 8 * each, 1);
}

// Steps of a fifth: 1600, 1280, 1024, 819, 655, 524, 419, 335, 320.
TEST(PlanMemory, TooLittleForOneThreadLowersTheSize) {
  const MemoryPlan plan = Plan(300000000);
  EXPECT_EQ(plan.image_size, 524);
  // A share of 0.3 is enough for one thread.
  EXPECT_EQ(plan.wanted, 470400000);
  EXPECT_EQ(Plan(470400000).image_size, 1600);
  EXPECT_EQ(Plan(470000000).image_size, 655);
  EXPECT_EQ(plan.threads, 1);
  EXPECT_EQ(Plan(50000000).image_size, 320);
  EXPECT_EQ(Plan(50000000).threads, 1);
  EXPECT_EQ(Plan(50000000).most_features, 0);
  // What was asked for is not raised.
  EXPECT_EQ(Plan(50000000, 800, 600, 200).image_size, 200);
}

TEST(CameraPrior, IsAGuessWhenNothingIsKnown) {
  const CameraPrior prior = MakeCameraPrior("OPENCV", 723, 1281, 0, {});
  EXPECT_FALSE(prior.focal_is_known);
  EXPECT_EQ(prior.camera.model_id, 4);
  EXPECT_EQ(prior.camera.width, 723);
  EXPECT_EQ(prior.camera.height, 1281);
  const double focal = 1.2 * 1281;
  EXPECT_THAT(prior.camera.params,
              ElementsAre(focal, focal, 361.5, 640.5, 0, 0, 0, 0));
  EXPECT_EQ(MakeCameraPrior("RADIAL", 1281, 723, 0, {}).camera.params[0],
            focal);
}

TEST(CameraPrior, TakesTheFocalLengthOfTheCapture) {
  const CameraPrior prior =
      MakeCameraPrior("SIMPLE_RADIAL", 723, 1281, 0.64, {});
  EXPECT_TRUE(prior.focal_is_known);
  EXPECT_EQ(prior.camera.model_id, 2);
  EXPECT_THAT(prior.camera.params,
              ElementsAre(0.64 * std::hypot(723, 1281), 361.5, 640.5, 0));
}

// Puts "35 mm equivalent focal length" into the JPEG's EXIF.
void AddExif(const std::filesystem::path& path, uint8_t millimetres) {
  std::string exif("Exif\0\0II*\0\x08\0\0\0", 14);
  // A directory of one entry that points to the one of EXIF, of one as well.
  exif += std::string("\x01\0\x69\x87\x04\0\x01\0\0\0\x1a\0\0\0\0\0\0\0", 18);
  exif += std::string("\x01\0\x05\xa4\x03\0\x01\0\0\0", 10);
  exif += static_cast<char>(millimetres) + std::string(7, '\0');
  std::string jpeg = ReadFile(path);
  jpeg.insert(
      2,
      std::string("\xff\xe1\0", 3) + static_cast<char>(exif.size() + 2) + exif);
  WriteFileAtomically(path, jpeg);
}

TEST(CameraPrior, ExifOfThePhotosComesFirst) {
  const TemporaryFolder folder;
  std::vector<std::filesystem::path> photos;
  for (int i = 0; i < 6; ++i) {
    photos.push_back(folder / (std::to_string(i) + ".jpg"));
    WriteImage(Image(72, 54, 3), photos.back());
  }
  // The sixth is no longer looked at.
  AddExif(photos[5], 50);
  EXPECT_EQ(MakeCameraPrior("RADIAL", 72, 54, 0, photos).camera.params[0],
            1.2 * 72);
  AddExif(photos[2], 28);
  const CameraPrior prior = MakeCameraPrior("RADIAL", 72, 54, 0.64, photos);
  EXPECT_TRUE(prior.focal_is_known);
  // COLMAP takes 35 mm for the longer side.
  EXPECT_NEAR(prior.camera.params[0], 28 / 35.0 * 72, 0.1);
}

}  // namespace
}  // namespace nerfpipe::sfm
