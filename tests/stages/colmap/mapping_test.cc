#include "stages/colmap/mapping/mapping.h"

#include "pipeline/base/random.h"
#include "stages/colmap/mapping/database_file.h"
#include "tests/stages/colmap/scene_features.h"
#include "tests/temporary_folder.h"

#include <Eigen/Core>
#include <Eigen/Geometry>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

using ::testing::ElementsAre;

constexpr int kFrames = 11;
constexpr int kAside = 4;

// A walk past a cloud of points in small steps, but for one frame that was
// taken thirty steps aside.
class Walk : public ::testing::Test {
 protected:
  Walk() {
    const SceneVector middle = ScenePoints().front();
    middle_ = {middle[0], middle[1], middle[2]};
    const SceneCamera first = OneLensCameras()[0];
    const double size = 0.3 * first.Project(middle)[2];
    Random random(5);
    for (int k = 0; k < 240; ++k) {
      SceneVector& point = points_.emplace_back();
      for (size_t axis = 0; axis < 3; ++axis) {
        point[axis] = middle[axis] + size * (2 * random.Uniform() - 1);
      }
    }
    for (int i = 0; i < kFrames; ++i) {
      names_.push_back("frame" + std::to_string(100 + i) + ".jpg");
      See(CameraOf(i));
    }
    for (int i = 0; i < kFrames; ++i) {
      for (int j = i + 1; j < kFrames; ++j) Match(i, j);
    }
    WriteDatabase(
        folder_ / "database.db", scene_.prior, names_, features_, pairs_);
  }

  SceneCamera CameraOf(int i) const {
    SceneCamera camera = OneLensCameras()[0];
    Eigen::Map<Eigen::Matrix<double, 3, 4, Eigen::RowMajor>> pose(
        camera.world_from_camera.data());
    const double distance = (pose.col(3) - middle_).norm();
    Eigen::Vector3d centre = pose.col(3) + 0.02 * distance * i * pose.col(0);
    if (i == kAside) centre += 0.6 * distance * pose.col(1);
    const Eigen::Vector3d down = pose.col(1);
    pose.col(2) = (middle_ - centre).normalized();
    pose.col(0) = down.cross(pose.col(2)).normalized();
    pose.col(1) = pose.col(2).cross(pose.col(0));
    pose.col(3) = centre;
    return camera;
  }

  // Every point, in another order in every image.
  void See(const SceneCamera& camera) {
    Features& of_image = features_.emplace_back();
    std::vector<uint32_t>& places = places_.emplace_back(points_.size());
    for (size_t n = 0; n < points_.size(); ++n) {
      const size_t k = (7 * n + 5 * features_.size()) % points_.size();
      const SceneVector p = camera.Project(points_[k]);
      places[k] = static_cast<uint32_t>(n);
      of_image.keypoints.push_back(
          {static_cast<float>(p[0]), static_cast<float>(p[1])});
    }
    of_image.descriptors =
        RandomDescriptors(of_image.keypoints.size(), features_.size());
  }

  void Match(int i, int j) {
    MatchedPair& pair = pairs_.emplace_back();
    pair.first = i;
    pair.second = j;
    for (size_t k = 0; k < points_.size(); ++k) {
      pair.matches.push_back({places_[i][k], places_[j][k]});
    }
    pair.geometry = VerifyMatches(scene_.prior,
                                  scene_.prior,
                                  features_[i],
                                  features_[j],
                                  pair.matches,
                                  3);
  }

  MappingResult Map(bool one_walk) const {
    MappingOptions options;
    options.one_walk = one_walk;
    return MapImages(folder_ / "database.db",
                     folder_.path(),
                     names_,
                     options,
                     &SilentReport());
  }

  const TemporaryFolder folder_;
  const SceneFeatures scene_;  // for its lens
  std::vector<SceneVector> points_;
  Eigen::Vector3d middle_ = Eigen::Vector3d::Zero();
  std::vector<std::string> names_;
  std::vector<Features> features_;
  std::vector<std::vector<uint32_t>> places_;  // of the points, in an image
  std::vector<MatchedPair> pairs_;
};

TEST_F(Walk, WhoIsFarOffItIsNamedAndNotInTheModel) {
  const MappingResult walk = Map(/*one_walk=*/true);
  EXPECT_THAT(walk.strays, ElementsAre(names_[kAside]));
  EXPECT_EQ(walk.Registered(), kFrames - 1);
  for (const auto& [id, image] : walk.models.at(walk.chosen).images) {
    EXPECT_NE(image.name, names_[kAside]);
  }
  EXPECT_EQ(walk.jumps, 0);
}

TEST_F(Walk, PhotosMayBeTakenAnywhere) {
  const MappingResult photos = Map(/*one_walk=*/false);
  EXPECT_THAT(photos.strays, ::testing::IsEmpty());
  EXPECT_EQ(photos.Registered(), kFrames);
}

}  // namespace
}  // namespace nerfpipe::sfm
