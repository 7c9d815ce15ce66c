#include "stages/colmap/mapping/database_file.h"

#include "pipeline/base/error.h"
#include "stages/colmap/refinement/point_colours.h"
#include "tests/stages/colmap/scene_features.h"
#include "tests/temporary_folder.h"

#include <csignal>
#include <filesystem>

#include <colmap/scene/database.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace nerfpipe::sfm {
namespace {

using ::testing::HasSubstr;

// Numbers of nothing repeat.
std::vector<MatchedPair> Pairs() {
  std::vector<MatchedPair> pairs;
  for (const auto& [first, second] : {std::pair(0, 3), {2, 9}}) {
    MatchedPair& pair = pairs.emplace_back();
    pair.first = first;
    pair.second = second;
    for (uint32_t k = 0; k < 20; ++k) {
      pair.matches.push_back({k, 40 - 2 * k});
      if (k % 3 == 0) pair.geometry.inliers.push_back({k, 40 - 2 * k});
    }
    pair.geometry.config = colmap::TwoViewGeometry::CALIBRATED;
    for (int i = 0; i < 9; ++i) {
      pair.geometry.essential.data()[i] = 1.5 + i + first;
      pair.geometry.fundamental.data()[i] = 20.5 + i + first;
      pair.geometry.homography.data()[i] = 40.5 + i + first;
    }
  }
  return pairs;
}

void ExpectMatches(const colmap::FeatureMatches& found,
                   const std::vector<FeatureMatch>& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].point2D_idx1, wanted[i].first);
    EXPECT_EQ(found[i].point2D_idx2, wanted[i].second);
  }
}

class WriteDatabaseTest : public ::testing::Test {
 protected:
  void Write(DatabaseContent content = DatabaseContent::kAll) {
    WriteDatabase(folder_ / "database.db",
                  scene_.prior,
                  scene_.names,
                  scene_.features,
                  Pairs(),
                  content);
  }

  const TemporaryFolder folder_;
  const SceneFeatures scene_;
};

TEST_F(WriteDatabaseTest, ColmapReadsAllOfIt) {
  Write();
  const colmap::Database database((folder_ / "database.db").string());
  const std::vector<colmap::Camera> cameras = database.ReadAllCameras();
  ASSERT_EQ(cameras.size(), 1u);
  EXPECT_EQ(cameras[0].camera_id, 1u);
  EXPECT_EQ(cameras[0].params, scene_.prior.camera.params);
  EXPECT_EQ(cameras[0].width, 53u);
  EXPECT_EQ(cameras[0].height, 37u);
  EXPECT_TRUE(cameras[0].has_prior_focal_length);
  ASSERT_EQ(database.NumImages(), scene_.names.size());
  for (size_t i = 0; i < scene_.names.size(); ++i) {
    const auto id = static_cast<colmap::image_t>(i + 1);
    EXPECT_EQ(database.ReadImage(id).Name(), scene_.names[i]);
    EXPECT_EQ(database.ReadImage(id).CameraId(), 1u);
    const auto keypoints = database.ReadKeypoints(id);
    const auto descriptors = database.ReadDescriptors(id);
    const Features& features = scene_.features[i];
    ASSERT_EQ(keypoints.size(), features.keypoints.size());
    ASSERT_EQ(descriptors.rows(), features.Count());
    for (size_t k = 0; k < keypoints.size(); ++k) {
      EXPECT_EQ(keypoints[k].x, features.keypoints[k].x);
      EXPECT_EQ(keypoints[k].y, features.keypoints[k].y);
      EXPECT_EQ(keypoints[k].a11, 1.5f);
      EXPECT_EQ(keypoints[k].a12, 0.25f);
      EXPECT_EQ(keypoints[k].a21, -0.5f);
      EXPECT_EQ(keypoints[k].a22, 2.0f);
      for (int j = 0; j < kDescriptorSize; ++j) {
        ASSERT_EQ(descriptors(static_cast<Eigen::Index>(k), j),
                  features.descriptors[k * kDescriptorSize + j]);
      }
    }
  }
  ASSERT_EQ(database.NumMatchedImagePairs(), 2u);
  for (const MatchedPair& pair : Pairs()) {
    const auto first = static_cast<colmap::image_t>(pair.first + 1);
    const auto second = static_cast<colmap::image_t>(pair.second + 1);
    ExpectMatches(database.ReadMatches(first, second), pair.matches);
    const auto geometry = database.ReadTwoViewGeometry(first, second);
    EXPECT_EQ(geometry.config, pair.geometry.config);
    EXPECT_EQ(geometry.E, pair.geometry.essential);
    EXPECT_EQ(geometry.F, pair.geometry.fundamental);
    EXPECT_EQ(geometry.H, pair.geometry.homography);
    ExpectMatches(geometry.inlier_matches, pair.geometry.inliers);
  }
}

TEST_F(WriteDatabaseTest, ForMappingWithoutWhatTakesTheMostRoom) {
  Write(DatabaseContent::kForMapping);
  const colmap::Database database((folder_ / "database.db").string());
  size_t keypoints = 0;
  for (const Features& features : scene_.features) {
    keypoints += features.keypoints.size();
  }
  EXPECT_EQ(database.NumKeypoints(), keypoints);
  EXPECT_EQ(database.NumDescriptors(), 0u);
  EXPECT_EQ(database.NumMatches(), 0u);
  for (const MatchedPair& pair : Pairs()) {
    const auto first = static_cast<colmap::image_t>(pair.first + 1);
    const auto second = static_cast<colmap::image_t>(pair.second + 1);
    ExpectMatches(database.ReadTwoViewGeometry(first, second).inlier_matches,
                  pair.geometry.inliers);
  }
}

// Files of this process may be no larger than so many bytes while this lives:
// a disk that is full.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small = {bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_;
  void (*handler_)(int);
};

// At every stage of the writing.
TEST_F(WriteDatabaseTest, AFullDiskIsCalledSo) {
  Write();
  const auto whole = std::filesystem::file_size(folder_ / "database.db");
  ASSERT_GT(whole, 100000u);
  for (const double share : {0.01, 0.3, 0.6, 0.9}) {
    for (const char* name : {"database.db", "database.db-wal"}) {
      std::filesystem::remove(folder_ / name);
    }
    const FullDisk full(static_cast<rlim_t>(share * whole));
    try {
      Write();
      ADD_FAILURE() << "written with " << share;
    } catch (const UserError& error) {
      EXPECT_THAT(error.what(), HasSubstr("database.db cannot be written ("));
      EXPECT_THAT(error.what(), HasSubstr("the space on the disk"));
    }
  }
}

TEST(ProjectFile, NamesWhatWasDone) {
  EXPECT_EQ(ProjectFile("/a b/database.db", "/a b/frames", "RADIAL", false, {}),
            "database_path=/a b/database.db\n"
            "image_path=/a b/frames\n"
            "[ImageReader]\n"
            "single_camera=false\n"
            "camera_model=RADIAL\n"
            "[SiftExtraction]\n"
            "max_image_size=1600\n"
            "max_num_features=4096\n"
            "estimate_affine_shape=false\n");
  EXPECT_THAT(
      ProjectFile("d", "f", "OPENCV", true, {777, 88, true}),
      HasSubstr("single_camera=true\ncamera_model=OPENCV\n"
                "[SiftExtraction]\nmax_image_size=777\nmax_num_features=88\n"
                "estimate_affine_shape=true\n"));
}

TEST(ColourPoints, AreMeansOfWhatWasSeen) {
  std::vector<Features> features(3);
  for (int i = 0; i < 3; ++i) {
    for (int k = 0; k < 4; ++k) {
      Keypoint& keypoint = features[i].keypoints.emplace_back();
      keypoint.rgba = {static_cast<uint8_t>(10 * i + k),
                       static_cast<uint8_t>(100 + 50 * i),
                       static_cast<uint8_t>(7 * k),
                       255};
    }
  }
  ColmapModel model;
  model.points[8].track = {{1, 3}, {3, 0}};
  model.points[5].track = {{2, 1}, {3, 3}, {1, 0}};
  ColourPoints(features, &model);
  // (3 + 20) / 2, (100 + 200) / 2, (21 + 0) / 2: halves up.
  EXPECT_THAT(model.points[8].rgb, ::testing::ElementsAre(12, 150, 11));
  // (11 + 23 + 0) / 3, (150 + 200 + 100) / 3, (7 + 21 + 0) / 3.
  EXPECT_THAT(model.points[5].rgb, ::testing::ElementsAre(11, 150, 9));
}

}  // namespace
}  // namespace nerfpipe::sfm
