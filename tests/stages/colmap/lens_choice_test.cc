#include "stages/colmap/refinement/lens_choice.h"

#include "pipeline/base/report.h"
#include "stages/colmap/mapping/bundle_adjustment.h"
#include "stages/colmap/mapping/lens.h"
#include "stages/colmap/mapping/reconstruction_copy.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <Eigen/Geometry>
#include <colmap/math/random.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Cameras close round a cloud of points through this lens, with noise, as a
// mapping with one focal length and one term of distortion hands them over.
colmap::Reconstruction SeenThrough(int model_id,
                                   const std::vector<double>& params,
                                   int images = 14) {
  constexpr int kPoints = 500;
  constexpr double kNoise = 0.4;  // pixels
  colmap::SetPRNGSeed(6);
  colmap::Camera camera;
  camera.camera_id = 1;
  camera.model_id = static_cast<colmap::CameraModelId>(model_id);
  camera.width = 641;
  camera.height = 479;
  camera.params = params;
  const auto uniform = [](double size) {
    return colmap::RandomUniformReal(-size, size);
  };
  std::vector<Eigen::Vector3d> points;
  for (int k = 0; k < kPoints; ++k) {
    points.emplace_back(uniform(1.3), uniform(1.1), uniform(1.2));
  }
  std::vector<colmap::Track> tracks(kPoints);
  colmap::Reconstruction model;
  model.AddCamera(camera);
  for (int i = 0; i < images; ++i) {
    colmap::Image image;
    image.SetImageId(i + 1);
    image.SetCameraId(1);
    image.SetName(std::to_string(i));
    image.SetRegistered(true);
    const Eigen::Quaterniond turn =
        Eigen::AngleAxisd(0.4 * std::sin(2.0 * i), Eigen::Vector3d::UnitX()) *
        Eigen::AngleAxisd(0.3 * i, Eigen::Vector3d::UnitY()) *
        Eigen::AngleAxisd(0.2 * i * i, Eigen::Vector3d::UnitZ());
    image.CamFromWorld() =
        colmap::Rigid3d(turn, {0.1, -0.05, 2.4 + 0.2 * std::sin(5.0 * i)});
    std::vector<Eigen::Vector2d> seen;
    for (int k = 0; k < kPoints; ++k) {
      const Eigen::Vector3d p = image.CamFromWorld() * points[k];
      if (p.z() < 0.5) continue;
      const Eigen::Vector2d xy = camera.ImgFromCam(p.hnormalized());
      if (xy.x() < 0 || xy.y() < 0 || xy.x() > 641 || xy.y() > 479) continue;
      tracks[k].AddElement(i + 1, static_cast<colmap::point2D_t>(seen.size()));
      seen.emplace_back(xy.x() + colmap::RandomGaussian(0.0, kNoise),
                        xy.y() + colmap::RandomGaussian(0.0, kNoise));
    }
    image.SetPoints2D(seen);
    model.AddImage(std::move(image));
  }
  for (int k = 0; k < kPoints; ++k) {
    if (tracks[k].Length() > 1) model.AddPoint3D(points[k], tracks[k]);
  }
  model.Camera(1).params = {camera.MeanFocalLength(),
                            camera.PrincipalPointX(),
                            camera.PrincipalPointY(),
                            0};
  model.Camera(1).model_id = static_cast<colmap::CameraModelId>(kSimpleRadial);
  return model;
}

AdjustmentOptions Options() {
  AdjustmentOptions options;
  options.loss_scale = 1;
  options.max_steps = 50;
  return options;
}

struct Found {
  int model_id;
  std::vector<double> params;
  bool changed;
};

Found Choose(colmap::Reconstruction model) {
  const bool changed = ChooseLens(Options(), &SilentReport(), &model);
  return {static_cast<int>(model.Camera(1).model_id),
          model.Camera(1).params,
          changed};
}

TEST(ChooseLens, KeepsTheSimplestThatIsEnough) {
  const Found found =
      Choose(SeenThrough(kSimpleRadial, {503, 327, 229, -0.07}));
  EXPECT_FALSE(found.changed);
  EXPECT_EQ(found.model_id, kSimpleRadial);
  EXPECT_NEAR(found.params[0], 503, 2);
  EXPECT_NEAR(found.params[3], -0.07, 0.005);
}

TEST(ChooseLens, TakesMoreWhereThereIsMore) {
  const Found radial =
      Choose(SeenThrough(kRadial, {503, 327, 229, -0.3, 0.25}));
  EXPECT_TRUE(radial.changed);
  EXPECT_EQ(radial.model_id, kRadial);
  EXPECT_NEAR(radial.params[0], 503, 3);
  EXPECT_NEAR(radial.params[4], 0.25, 0.03);

  const Found decentred = Choose(
      SeenThrough(kOpenCv, {503, 503, 327, 229, -0.1, 0.02, 0.006, -0.004}));
  EXPECT_EQ(decentred.model_id, kOpenCv);
  EXPECT_EQ(decentred.params[0], decentred.params[1]);
  EXPECT_NEAR(decentred.params[6], 0.006, 0.001);
  EXPECT_NEAR(decentred.params[7], -0.004, 0.001);
}

TEST(ChooseLens, TellsAFisheye) {
  const Found found =
      Choose(SeenThrough(kRadialFisheye, {290, 327, 229, 0.03, -0.01}));
  EXPECT_EQ(found.model_id, kRadialFisheye);
  EXPECT_NEAR(found.params[0], 290, 2);
  EXPECT_NEAR(found.params[3], 0.03, 0.01);
}

TEST(ChooseLens, FreesTheAspectWhereItIsHeld) {
  const Found found =
      Choose(SeenThrough(kOpenCv, {503, 519, 327, 229, -0.1, 0.02, 0, 0}));
  EXPECT_EQ(found.model_id, kOpenCv);
  EXPECT_NEAR(found.params[1] / found.params[0], 519.0 / 503, 0.003);
}

// Three per cent may be; ten are a solution that ran away.
TEST(ChooseLens, LeavesPixelsThatCannotBe) {
  const Found found =
      Choose(SeenThrough(kOpenCv, {503, 560, 327, 229, -0.1, 0.02, 0, 0}));
  if (found.model_id == kOpenCv) {
    EXPECT_EQ(found.params[0], found.params[1]);
  }
}

TEST(ChooseLens, TooFewImagesTellNoMore) {
  const Found found =
      Choose(SeenThrough(kRadial, {503, 327, 229, -0.3, 0.25}, 7));
  EXPECT_FALSE(found.changed);
  EXPECT_EQ(found.model_id, kSimpleRadial);
}

// Those images seen with a longer focal length.
void ZoomIn(const std::vector<colmap::image_t>& ids,
            double by,
            colmap::Reconstruction* model) {
  const Eigen::Vector2d centre(327, 229);
  for (const colmap::image_t id : ids) {
    for (colmap::Point2D& point : model->Image(id).Points2D()) {
      point.xy = centre + by * (point.xy - centre);
    }
  }
}

TEST(SurveyFocalLengths, TellsAZoomFromOneLens) {
  colmap::Reconstruction model =
      SeenThrough(kSimpleRadial, {503, 327, 229, -0.07});
  ChooseLens(Options(), &SilentReport(), &model);
  const FocalLengths one =
      SurveyFocalLengths(1, &SilentReport(), FromColmap(model));
  EXPECT_EQ(one.range, 1);
  EXPECT_THAT(one.apart, IsEmpty());
  ZoomIn({9, 10, 11, 12, 13, 14}, 1.2, &model);
  const FocalLengths zoom =
      SurveyFocalLengths(1, &SilentReport(), FromColmap(model));
  EXPECT_NEAR(zoom.range, 1.2, 0.03);
  EXPECT_EQ(zoom.apart.size(), 14u);
}

// One among many changes the sum of all errors by little.
TEST(SurveyFocalLengths, NamesTheOneThatIsUnlikeTheOthers) {
  colmap::Reconstruction model =
      SeenThrough(kSimpleRadial, {503, 327, 229, -0.07}, 41);
  ChooseLens(Options(), &SilentReport(), &model);
  ZoomIn({17}, 1.25, &model);
  const FocalLengths found =
      SurveyFocalLengths(1, &SilentReport(), FromColmap(model));
  EXPECT_THAT(found.apart, ElementsAre(17u));
  EXPECT_NEAR(found.range, 1.25, 0.04);
}

std::string Absurd(int model_id, const std::vector<double>& params) {
  return WhatIsAbsurd(ColmapCamera{model_id, 848, 480, params});
}

TEST(WhatIsAbsurd, NamesWhatNoLensDoes) {
  EXPECT_EQ(Absurd(kOpenCv, {419, 425, 431, 236, -0.2, 0.03, 0, 0}), "");
  EXPECT_EQ(Absurd(kRadialFisheye, {373, 424, 240, 0.06, 0}), "");
  EXPECT_THAT(Absurd(kOpenCv, {419, 2132, 424, 240, 0, 0, 0, 0}),
              HasSubstr("pixels 0.20 times as high as wide"));
  EXPECT_THAT(Absurd(kSimpleRadial, {60, 424, 240, 0}), HasSubstr("diagonals"));
  EXPECT_THAT(Absurd(kSimpleRadial, {30000, 424, 240, 0}),
              HasSubstr("diagonals"));
  // Turns back inside the picture.
  EXPECT_THAT(Absurd(kSimpleRadial, {419, 424, 240, -3}),
              HasSubstr("no rectangle"));
}

}  // namespace
}  // namespace nerfpipe::sfm
