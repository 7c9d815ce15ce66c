#include "pipeline/base/digest.h"
#include "pipeline/base/error.h"
#include "stages/common/colmap_model.h"
#include "stages/media/image_file.h"
#include "tests/real_data.h"
#include "tests/stages/colmap/stage_test.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include <Eigen/Geometry>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

using Digests = std::map<std::string, std::string>;

Digests DigestsOf(const fs::path& folder) {
  Digests digests;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      digests[fs::relative(entry.path(), folder).string()] =
          DigestOfFile(entry.path());
    }
  }
  return digests;
}

// Deletes every second file and cuts one of the others short.
void DamageScratch(const fs::path& scratch) {
  for (const char* part : {"features", "pairs"}) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(scratch / part)) {
      files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    ASSERT_GE(files.size(), 4u);
    for (size_t i = 0; i < files.size(); i += 2) {
      fs::remove(files[i]);
    }
    fs::resize_file(files[1], fs::file_size(files[1]) / 2);
  }
}

TEST_F(ColmapStageTest, SolvesASyntheticCornerExactly) {
  constexpr int kCount = 12;
  AddCornerFrames(kCount);
  const StageResult result = Run("video", 2, "scratch");
  ASSERT_EQ(result.state, StageResult::State::kDone) << result.line;
  EXPECT_EQ(result.facts["frames"]["registered"], kCount) << result.line;
  EXPECT_LT(result.facts["reconstruction"]["mean_reprojection_error_px"], 1);

  const ColmapModel model = ReadColmapModel(root_ / "out" / "sparse" / "0");
  ASSERT_EQ(model.images.size(), static_cast<size_t>(kCount));
  const ColmapCamera& camera = model.cameras.begin()->second;
  const double focal = (CornerCamera().fx + CornerCamera().fy) / 2;
  EXPECT_NEAR(camera.params[0], focal, 0.02 * focal);
  EXPECT_EQ(camera.params[1], camera.params[0]);
  const ImageSize size = ReadImageSize(root_ / "out" / "images" / "10001.jpg");
  EXPECT_EQ(size.width, camera.width);
  EXPECT_EQ(size.height, camera.height);

  Eigen::Matrix3Xd found(3, kCount), truth(3, kCount);
  for (const auto& [id, image] : model.images) {
    const int i = std::stoi(image.name) - 10001;
    found.col(i) = image.camera_from_world.Inverse().translation;
    truth.col(i) = CornerPose(i, kCount).translation;
  }
  const Eigen::Matrix4d align = Eigen::umeyama(found, truth);
  const Eigen::Matrix3Xd aligned =
      (align * found.colwise().homogeneous()).colwise().hnormalized();
  // Of the arc's radius, 4.
  EXPECT_LT((aligned - truth).colwise().norm().maxCoeff(), 0.02 * 4);
}

TEST_F(ColmapStageTest, EqualBytesForAnyThreadsAndAfterAResume) {
  AddCornerFrames(10);
  ASSERT_EQ(Run("photos", 1, "a").state, StageResult::State::kDone);
  const Digests one = DigestsOf(root_ / "out");
  EXPECT_TRUE(one.contains("database.db"));
  EXPECT_TRUE(one.contains("sparse/0/images.bin"));
  EXPECT_TRUE(one.contains("images/10010.jpg"));
  EXPECT_FALSE(one.contains("database.db-wal"));
  ASSERT_EQ(Run("photos", 2, "b").state, StageResult::State::kDone);
  EXPECT_EQ(DigestsOf(root_ / "out"), one) << "another number of threads";
  DamageScratch(root_ / "a");
  ASSERT_EQ(Run("photos", 2, "a").state, StageResult::State::kDone);
  EXPECT_EQ(DigestsOf(root_ / "out"), one) << "after a resume";
}

TEST_F(ColmapStageTest, StaticCameraFails) {
  const Image image = RenderCorner(CornerPose(3, 12));
  for (int i = 0; i < 9; ++i) {
    const std::string name = std::to_string(10001 + i) + ".jpg";
    WriteImage(image, root_ / "frames" / name, 80 + i);
    AddFrame(name);
  }
  const StageResult result = Run("video", 2, "scratch");
  EXPECT_EQ(result.state, StageResult::State::kFailed);
  EXPECT_THAT(result.line, HasSubstr("the camera stands still"));
}

TEST_F(ColmapStageTest, DroppedFramesAreNotUsedAndFewFramesFail) {
  AddCornerFrames(8);
  capture_.frames[2].kept = false;
  const StageResult result = Run("video", 1, "scratch");
  EXPECT_EQ(result.state, StageResult::State::kFailed);
  EXPECT_THAT(result.line, HasSubstr("7 frames are kept, at least 8"));
}

TEST_F(ColmapStageTest, AFrameOfAnotherSizeIsNamed) {
  AddCornerFrames(8);
  WriteImage(Image(64, 64, 3), root_ / "frames" / "10005.jpg");
  try {
    Run("video", 1, "scratch");
    FAIL() << "no error";
  } catch (const UserError& error) {
    EXPECT_THAT(error.problem(), HasSubstr("10005.jpg is 64x64"));
  }
}

TEST_F(ColmapStageTest, RealClipIsRegistered) {
  NERFPIPE_NEEDS_REAL_DATA();
  std::vector<fs::path> images;
  for (const auto& entry : fs::directory_iterator(RealData() / "beer/images")) {
    images.push_back(entry.path());
  }
  std::sort(images.begin(), images.end());
  ASSERT_GE(images.size(), 12u);
  images.resize(12);
  for (const fs::path& image : images) {
    fs::copy_file(image, root_ / "frames" / image.filename());
    AddFrame(image.filename().string());
  }
  const StageResult result = Run("video", 2, "scratch");
  ASSERT_EQ(result.state, StageResult::State::kDone) << result.line;
  EXPECT_EQ(result.facts["frames"]["registered"], 12) << result.line;
  EXPECT_LT(result.facts["reconstruction"]["mean_reprojection_error_px"], 1);
}

}  // namespace
}  // namespace nerfpipe::sfm
