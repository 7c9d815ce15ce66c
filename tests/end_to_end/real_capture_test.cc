// Real captures about whose cameras something is known from elsewhere.

#include "stages/colmap/mapping/lens.h"
#include "stages/common/colmap_model.h"
#include "tests/real_data.h"
#include "tests/run_program.h"
#include "tests/temporary_folder.h"

#include <cmath>
#include <numbers>

#include <Eigen/Core>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::HasSubstr;

// Degrees between the rays of two opposite corners.
double DiagonalFieldOfView(const ColmapCamera& camera) {
  const sfm::Lens lens(camera.model_id, camera.params);
  const Eigen::Vector2d middle = lens.Project({0, 0, 1});
  const Eigen::Vector2d corner(camera.width, camera.height);
  const Eigen::Vector2d towards = (corner - middle).normalized();
  double inside = 0, outside = 0.49 * std::numbers::pi;
  for (int i = 0; i < 60; ++i) {
    const double angle = (inside + outside) / 2;
    const Eigen::Vector3d ray(std::sin(angle) * towards.x(),
                              std::sin(angle) * towards.y(),
                              std::cos(angle));
    const bool within =
        (lens.Project(ray) - middle).norm() < (corner - middle).norm();
    (within ? inside : outside) = angle;
  }
  return 2 * inside * 180 / std::numbers::pi;
}

// The camera writes into the clip how far its lens sees from corner to corner:
// 137.39 degrees (ZFOV in its GPMF stream). A walk straight ahead hardly tells
// the focal length: as a lens with two radial terms it comes to 116.
TEST(Capture, RealWalkStraightAheadSeesAsFarAsItsCameraTells) {
  NERFPIPE_NEEDS_REAL_DATA();
  const TemporaryFolder folder;
  const ProgramRun run = RunProgram(folder / "",
                                    {"run",
                                     RealData() / "captures/wide_walk.mp4",
                                     "-w",
                                     "walk",
                                     "--until",
                                     "colmap"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out + run.err, HasSubstr("cameras  good"));
  const ColmapModel model = ReadColmapModel(folder / "walk/colmap/sparse/0");
  EXPECT_GE(model.images.size(), 97u);
  ASSERT_EQ(model.cameras.size(), 1u);
  EXPECT_NEAR(DiagonalFieldOfView(model.cameras.begin()->second), 137.39, 1);
}

}  // namespace
}  // namespace nerfpipe
