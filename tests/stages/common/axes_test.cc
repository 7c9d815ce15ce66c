#include "stages/common/axes.h"

#include "tests/stages/common/scene_model.h"

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

// A camera at (1, 2, 3) looking along world +x, its image's right side towards
// world -y and its lower side towards world -z.
Rigid3 Looking() {
  Rigid3 world_from_camera;
  world_from_camera.rotation << 0, 0, 1,  //
      -1, 0, 0,                           //
      0, -1, 0;
  world_from_camera.translation << 1, 2, 3;
  return world_from_camera;
}

TEST(Axes, OpenGlIsRightUpBackward) {
  const Rigid3 pose = OpenGlFromColmapAxes(Looking());
  Eigen::Matrix3d expected;
  expected << 0, 0, -1,  //
      -1, 0, 0,          //
      0, 1, 0;
  EXPECT_EQ(pose.rotation, expected);
  EXPECT_EQ(pose.translation, Eigen::Vector3d(1, 2, 3));
  // A point 5 ahead, 1 to the right and 2 above the optical axis.
  EXPECT_EQ(pose * Eigen::Vector3d(1, 2, -5), Eigen::Vector3d(6, 1, 5));
}

TEST(Axes, LlffIsDownRightBackward) {
  const Rigid3 pose = LlffFromColmapAxes(Looking());
  Eigen::Matrix3d expected;
  expected << 0, 0, -1,  //
      0, -1, 0,          //
      -1, 0, 0;
  EXPECT_EQ(pose.rotation, expected);
  EXPECT_EQ(pose.translation, Eigen::Vector3d(1, 2, 3));
  EXPECT_EQ(pose * Eigen::Vector3d(-2, 1, -5), Eigen::Vector3d(6, 1, 5));
}

TEST(Axes, ConversionsAgreeWithEachOther) {
  const Rigid3 colmap = {
      Eigen::Quaterniond(0.5, -0.1, 0.7, 0.2).normalized().toRotationMatrix(),
      Eigen::Vector3d(0.3, -4, 9)};
  const Rigid3 opengl = OpenGlFromColmapAxes(colmap);
  EXPECT_EQ(ColmapFromOpenGlAxes(opengl).rotation, colmap.rotation);
  EXPECT_EQ(OpenGlFromLlffAxes(LlffFromColmapAxes(colmap)).rotation,
            opengl.rotation);
  EXPECT_NEAR(opengl.rotation.determinant(), 1, 1e-12);
  EXPECT_NEAR(LlffFromColmapAxes(colmap).rotation.determinant(), 1, 1e-12);
}

// A point 2 to the right, 3 down and 5 ahead, in the names of each convention.
TEST(Axes, NameTheSamePlaceForEveryCamera) {
  for (const SceneCamera& camera : IrregularCameras()) {
    const Rigid3 colmap = WorldFromCamera(camera);
    const Eigen::Vector3d place = colmap * Eigen::Vector3d(2, 3, 5);
    const Rigid3 opengl = OpenGlFromColmapAxes(colmap);
    const Rigid3 llff = LlffFromColmapAxes(colmap);
    EXPECT_LT((opengl * Eigen::Vector3d(2, -3, -5) - place).norm(), 1e-9);
    EXPECT_LT((llff * Eigen::Vector3d(3, 2, -5) - place).norm(), 1e-9);
    EXPECT_LT(
        (OpenGlFromLlffAxes(llff) * Eigen::Vector3d(2, -3, -5) - place).norm(),
        1e-9);
    EXPECT_LT((ColmapFromOpenGlAxes(opengl) * Eigen::Vector3d(2, 3, 5) - place)
                  .norm(),
              1e-9);
  }
}

TEST(Rigid3, InverseUndoes) {
  const Eigen::Vector3d x(0.1, -2, 7);
  EXPECT_NEAR((Looking().Inverse() * (Looking() * x) - x).norm(), 0, 1e-12);
}

}  // namespace
}  // namespace nerfpipe
