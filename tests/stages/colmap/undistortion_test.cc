#include "stages/colmap/refinement/undistortion.h"

#include "pipeline/base/random.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

constexpr int kOpenCv = 4;

// fx, fy, cx, cy, k1, k2, p1, p2
ColmapCamera OpenCvCamera(std::vector<double> params) {
  return {kOpenCv, 723, 1277, std::move(params)};
}

ColmapCamera BarrelCamera() {
  return OpenCvCamera({1100, 1163, 371.4, 622.7, -0.12, 0.03, 0.0006, -0.0009});
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

// Catmull-Rom at a position in pixels, in double; edges are repeated.
double Cubic(const Image& image, const Eigen::Vector2d& p, int c) {
  const auto weight = [](double d) {
    d = std::abs(d);
    return d < 1   ? 1.5 * d * d * d - 2.5 * d * d + 1
           : d < 2 ? -0.5 * d * d * d + 2.5 * d * d - 4 * d + 2
                   : 0.0;
  };
  const int x0 = static_cast<int>(std::floor(p.x() - 0.5));
  const int y0 = static_cast<int>(std::floor(p.y() - 0.5));
  double sum = 0;
  for (int y = y0 - 1; y <= y0 + 2; ++y) {
    for (int x = x0 - 1; x <= x0 + 2; ++x) {
      sum += weight(x + 0.5 - p.x()) * weight(y + 0.5 - p.y()) *
             image.At(std::clamp(x, 0, image.width - 1),
                      std::clamp(y, 0, image.height - 1))[c];
    }
  }
  return std::clamp(sum, 0.0, 255.0);
}

// Noise, so that every sample's place and weights show.
TEST(Warp, EqualsATwinInDouble) {
  const ColmapCamera camera = {
      kOpenCv, 123, 77, {110, 121, 65.4, 35.7, -0.12, 0.03, 0.006, -0.009}};
  const Pinhole pinhole = PlanPinhole(camera).value();
  Random random(8);
  Image image(123, 77, 3);
  for (uint8_t& value : image.pixels) {
    value = static_cast<uint8_t>(random.Below(256));
  }
  const Image result = Warp(camera, pinhole).Apply(image);
  ASSERT_EQ(result.width, pinhole.width);
  ASSERT_EQ(result.height, pinhole.height);
  double sum = 0;
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      // To 1/256 of a pixel.
      Eigen::Vector2d source =
          DistortedProjection(camera, Ray(pinhole, x + 0.5, y + 0.5));
      for (double& side : source) {
        side = std::round((side - 0.5) * 256) / 256 + 0.5;
      }
      for (int c = 0; c < 3; ++c) {
        const double off = result.At(x, y)[c] - Cubic(image, source, c);
        ASSERT_LE(std::abs(off), 0.51) << x << ", " << y;
        sum += off;
      }
    }
  }
  // Rounded, not cut off.
  EXPECT_LT(std::abs(sum / static_cast<double>(result.pixels.size())), 0.02);
}

}  // namespace
}  // namespace nerfpipe::sfm
