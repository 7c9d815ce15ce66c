#include "stages/colmap/refinement/undistortion.h"

#include "pipeline/base/random.h"
#include "tests/stages/colmap/lenses.h"

#include <cmath>

#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

void ExpectRules(const ColmapCamera& camera) {
  const std::optional<Pinhole> pinhole = PlanPinhole(camera);
  ASSERT_TRUE(pinhole.has_value());
  EXPECT_EQ(pinhole->width % 8, 0);
  EXPECT_EQ(pinhole->height % 8, 0);
  EXPECT_EQ(pinhole->cx, pinhole->width / 2.0);
  EXPECT_EQ(pinhole->cy, pinhole->height / 2.0);
  EXPECT_EQ(pinhole->fx, pinhole->fy);
  bool all_inside = true;
  for (int y = 0; y < pinhole->height; y += 3) {
    for (int x = 0; x < pinhole->width; x += 3) {
      all_inside &= Inside(
          camera, DistortedProjection(camera, Ray(*pinhole, x + 0.5, y + 0.5)));
    }
  }
  EXPECT_TRUE(all_inside) << "black borders";
  EXPECT_NEAR(pinhole->fx, (camera.params[0] + camera.params[1]) / 2, 1e-9);
  // Four pixels more on each side would be too many (or above the limit of
  // 1.25 times the size).
  bool larger_fits =
      pinhole->width + 8 <= 1.25 * 723 && pinhole->height + 8 <= 1.25 * 1277;
  const auto visit = [&](double x, double y) {
    larger_fits =
        larger_fits &&
        Inside(camera, DistortedProjection(camera, Ray(*pinhole, x, y)));
  };
  for (double x = -3.5; x < pinhole->width + 4; x += 1) {
    visit(x, -3.5);
    visit(x, pinhole->height + 3.5);
  }
  for (double y = -3.5; y < pinhole->height + 4; y += 1) {
    visit(-3.5, y);
    visit(pinhole->width + 3.5, y);
  }
  EXPECT_FALSE(larger_fits);
}

TEST(PlanPinhole, IsCentredAlignedAndWithoutBorders) {
  ExpectRules(BarrelCamera());
  ExpectRules(
      OpenCvCamera({1500, 1411, 349, 655.5, 0.08, -0.05, 0.001, 0.001}));
  ExpectRules(OpenCvCamera({600, 632, 352, 660, -0.2, 0.05, 0, 0}));
}

// The largest centred picture inside the old one, whose principal point is 13.5
// pixels left of and 5.5 above its middle: 720 - 27 and 1280 - 11.
TEST(PlanPinhole, CutsWhatIsLeftOfAPictureThatIsNotCentred) {
  const auto pinhole =
      PlanPinhole({kOpenCv, 720, 1280, {900, 900, 346.5, 634.5, 0, 0, 0, 0}});
  ASSERT_TRUE(pinhole.has_value());
  EXPECT_EQ(pinhole->width, 688);
  EXPECT_EQ(pinhole->height, 1264);
}

// Of fx = 1000 and fy = 800, 900 is left: 720 / 1000 * 900 by nearly
// 1280 / 800 * 900, of which the outermost pixel centres would be outside.
TEST(PlanPinhole, MakesPixelsSquare) {
  const auto pinhole =
      PlanPinhole({kOpenCv, 720, 1280, {1000, 800, 360, 640, 0, 0, 0, 0}});
  ASSERT_TRUE(pinhole.has_value());
  EXPECT_EQ(pinhole->width, 648);
  EXPECT_EQ(pinhole->height, 1432);
  EXPECT_EQ(pinhole->fx, 900);
  EXPECT_EQ(pinhole->fy, 900);
}

TEST(PlanPinhole, LeavesAnUndistortedCameraAsItIs) {
  const auto pinhole =
      PlanPinhole({kOpenCv, 720, 1280, {900, 900, 360, 640, 0, 0, 0, 0}});
  ASSERT_TRUE(pinhole.has_value());
  EXPECT_EQ(pinhole->width, 720);
  EXPECT_EQ(pinhole->height, 1280);
  EXPECT_EQ(pinhole->fx, 900);
}

TEST(PlanPinhole, RefusesNonsense) {
  EXPECT_FALSE(PlanPinhole(OpenCvCamera({900, 950, 362, 631, -9, 0, 0, 0})));
}

TEST(UndistortModel, ObservationsLandWhereThePinholeSays) {
  const ColmapCamera camera = BarrelCamera();
  const Pinhole pinhole = PlanPinhole(camera).value();
  Random random(4);
  ColmapModel model;
  model.cameras[7] = camera;
  ColmapImage image;
  image.name = "a b.png";
  image.camera_id = 7;
  for (int i = 0; i < 500; ++i) {
    const double z = random.Uniform(1, 5);
    const Eigen::Vector2d ray(random.Uniform(-0.28, 0.28),
                              random.Uniform(-0.5, 0.5));
    ColmapPoint point;
    point.xyz = {z * ray.x(), z * ray.y(), z};
    point.track.push_back({3, static_cast<uint32_t>(i)});
    model.points[i + 1] = point;
    image.observations.push_back({DistortedProjection(camera, ray), i + 1});
  }
  model.images[3] = image;
  UndistortionPlan plan;
  plan.pinholes[7] = pinhole;
  plan.main = 7;
  EXPECT_EQ(UndistortModel(model, plan, {3}).images.at(3).name, "a b.png");
  const ColmapModel result = UndistortModel(model, plan, {});
  EXPECT_EQ(result.images.at(3).name, "a b.jpg");
  ASSERT_EQ(result.cameras.at(7).model_id, 1);
  EXPECT_EQ(
      result.cameras.at(7).params,
      (std::vector<double>{pinhole.fx, pinhole.fy, pinhole.cx, pinhole.cy}));
  for (int i = 0; i < 500; ++i) {
    const Eigen::Vector3d& x = model.points.at(i + 1).xyz;
    const Eigen::Vector2d expected(pinhole.fx * x.x() / x.z() + pinhole.cx,
                                   pinhole.fy * x.y() / x.z() + pinhole.cy);
    EXPECT_LT((result.images.at(3).observations[i].xy - expected).norm(), 0.05);
    EXPECT_LT(result.points.at(i + 1).error, 0.05);
  }
}

}  // namespace
}  // namespace nerfpipe::sfm
