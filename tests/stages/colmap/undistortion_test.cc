#include "stages/colmap/undistortion.h"

#include "pipeline/base/random.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

constexpr int kOpenCv = 4;

// fx, fy, cx, cy, k1, k2, p1, p2
ColmapCamera OpenCvCamera(std::vector<double> params) {
  return {kOpenCv, 720, 1280, std::move(params)};
}

ColmapCamera BarrelCamera() {
  return OpenCvCamera({1100, 1108, 360, 640, -0.12, 0.03, 0.0006, -0.0009});
}

// The OPENCV model written out: Brown's distortion, then focal lengths.
Eigen::Vector2d DistortedProjection(const ColmapCamera& camera,
                                    const Eigen::Vector2d& ray) {
  const std::vector<double>& p = camera.params;
  const double u = ray.x(), v = ray.y();
  const double r2 = u * u + v * v;
  const double radial = p[4] * r2 + p[5] * r2 * r2;
  const double du = u * radial + 2 * p[6] * u * v + p[7] * (r2 + 2 * u * u);
  const double dv = v * radial + 2 * p[7] * u * v + p[6] * (r2 + 2 * v * v);
  return {p[0] * (u + du) + p[2], p[1] * (v + dv) + p[3]};
}

bool Inside(const ColmapCamera& camera, const Eigen::Vector2d& p) {
  return p.x() >= 0.5 - 1e-5 && p.y() >= 0.5 - 1e-5 &&
         p.x() <= camera.width - 0.5 + 1e-5 &&
         p.y() <= camera.height - 0.5 + 1e-5;
}

Eigen::Vector2d Ray(const Pinhole& pinhole, double x, double y) {
  return {(x - pinhole.cx) / pinhole.fx, (y - pinhole.cy) / pinhole.fy};
}

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
  // Four pixels more on each side would be too many (or above the limit of
  // 1.25 times the size).
  bool larger_fits = pinhole->width < 896 && pinhole->height < 1600;
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
  ExpectRules(OpenCvCamera({1500, 1495, 360, 640, 0.08, -0.05, 0.001, 0.001}));
  ExpectRules(OpenCvCamera({600, 600, 360, 640, -0.2, 0.05, 0, 0}));
}

TEST(PlanPinhole, LeavesAnUndistortedCameraAsItIs) {
  const auto pinhole =
      PlanPinhole(OpenCvCamera({900, 900, 360, 640, 0, 0, 0, 0}));
  ASSERT_TRUE(pinhole.has_value());
  EXPECT_EQ(pinhole->width, 720);
  EXPECT_EQ(pinhole->height, 1280);
  EXPECT_EQ(pinhole->fx, 900);
}

TEST(PlanPinhole, RefusesNonsense) {
  EXPECT_FALSE(PlanPinhole(OpenCvCamera({900, 900, 360, 640, -9, 0, 0, 0})));
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
  const ColmapModel result = UndistortModel(model, pinhole);
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

// A picture that is a smooth function of the ray has the same values at the
// same rays afterwards.
TEST(Warp, PixelsStayOnTheirRays) {
  const ColmapCamera camera = BarrelCamera();
  const Pinhole pinhole = PlanPinhole(camera).value();
  const auto value = [](const Eigen::Vector2d& p) {
    return 128 + 50 * std::sin(p.x() / 17) + 50 * std::cos(p.y() / 23);
  };
  Image image(720, 1280, 3);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      uint8_t* pixel = image.At(x, y);
      pixel[0] = static_cast<uint8_t>(
          std::lround(value(Eigen::Vector2d(x + 0.5, y + 0.5))));
      pixel[1] = static_cast<uint8_t>(x % 2 == 0 ? 0 : 255);
      pixel[2] = 200;
    }
  }
  const Image result = Warp(camera, pinhole).Apply(image);
  ASSERT_EQ(result.width, pinhole.width);
  ASSERT_EQ(result.height, pinhole.height);
  double worst = 0;
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      const Eigen::Vector2d source =
          DistortedProjection(camera, Ray(pinhole, x + 0.5, y + 0.5));
      worst = std::max(worst, std::abs(result.At(x, y)[0] - value(source)));
      EXPECT_EQ(result.At(x, y)[2], 200);
    }
  }
  // Rounded twice. A shift by a twentieth of a pixel adds 0.26.
  EXPECT_LT(worst, 1.2);
}

}  // namespace
}  // namespace nerfpipe::sfm
