// Never wrong in silence: over captures whose cameras are known, a camera that
// is far off never goes with a verdict of good, and what is right is called so.

#include "tests/stages/colmap/true_capture.h"

#include "stages/colmap/mapping/lens.h"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

constexpr double kWrong = 0.05;   // of the radius
constexpr double kRight = 0.005;  // of the radius
constexpr double kDegrees = 0.3;

// 643x481 pixels, of one focal length.
ColmapCamera LensOf(double focal, double k1 = 0) {
  return {kSimpleRadial, 643, 481, {focal, 321.5, 240.5, k1}};
}

void ExpectHonest(const TrueResult& result) {
  EXPECT_FALSE(result.worst > kWrong &&
               result.verdict.grade == SceneGrade::kGood)
      << result.All();
}

void ExpectRightAndGood(const TrueCapture& capture, const TrueResult& result) {
  EXPECT_EQ(result.registered, static_cast<int>(capture.cameras.size()))
      << result.All();
  EXPECT_LT(result.worst, kWrong) << result.All();
  EXPECT_LT(result.median, kRight) << result.All();
  EXPECT_LT(result.rotation, kDegrees) << result.All();
  EXPECT_EQ(result.verdict.grade, SceneGrade::kGood) << result.All();
}

TrueCapture OnAFloor(int images, const ColmapCamera& lens, double waver) {
  TrueCapture capture;
  capture.points = ThingOnAFloor(260);
  capture.cameras = Orbit(images, 3.7, waver);
  capture.lenses.assign(images, lens);
  return capture;
}

TEST(TrueCapture, AnOrbitIsRightAndGood) {
  const TrueCapture capture = OnAFloor(26, LensOf(571, -0.08), 0.08);
  ExpectRightAndGood(capture, SolveTrueCapture(capture));
}

// The motion hardly tells how high the pixels are.
TEST(TrueCapture, ALevelRingIsRightAndGood) {
  const TrueCapture capture = OnAFloor(26, LensOf(480), 0);
  const TrueResult result = SolveTrueCapture(capture);
  ExpectRightAndGood(capture, result);
  EXPECT_NEAR(result.lenses.front().params[0], 480, 4.8);
}

TEST(TrueCapture, ALevelRingWithEveryTermOfTheLensFreeIsNotCalledGoodIfWrong) {
  TrueCapture capture = OnAFloor(26, LensOf(480), 0);
  capture.camera_model = "OPENCV";
  ExpectHonest(SolveTrueCapture(capture));
}

TEST(TrueCapture, ATurntableBeforeNothingIsRightAndGood) {
  TrueCapture capture = OnAFloor(36, LensOf(910, -0.02), 0);
  capture.points = ThingAlone(500);
  const TrueResult result = SolveTrueCapture(capture);
  ExpectRightAndGood(capture, result);
}

TEST(TrueCapture, TwoLensesThatExifTellsAreRightAndGood) {
  TrueCapture capture = OnAFloor(28, LensOf(571, -0.05), 0.08);
  for (size_t i = 0; i < capture.cameras.size(); ++i) {
    const bool longer = i % 3 == 1;
    if (longer) capture.lenses[i] = LensOf(571 * 1.6, 0.03);
    capture.exif.push_back(longer ? 1.14 : 0.71);
  }
  ExpectRightAndGood(capture, SolveTrueCapture(capture));
}

TEST(TrueCapture, TwoLensesOfWhichNothingTellsAreRightAndGood) {
  TrueCapture capture = OnAFloor(28, LensOf(571, -0.05), 0.08);
  for (size_t i = 1; i < capture.cameras.size(); i += 3) {
    capture.lenses[i] = LensOf(571 * 1.6, 0.03);
  }
  ExpectRightAndGood(capture, SolveTrueCapture(capture));
}

// Too few to be seen in the spread of all.
TEST(TrueCapture, TwoPhotosZoomedInAreRightAndGood) {
  TrueCapture capture = OnAFloor(40, LensOf(480, -0.05), 0.08);
  capture.lenses[11] = capture.lenses[29] = LensOf(860);
  ExpectRightAndGood(capture, SolveTrueCapture(capture));
}

TrueCapture AZoom() {
  TrueCapture capture = OnAFloor(40, LensOf(480), 0.08);
  capture.video = true;
  for (size_t i = 0; i < capture.cameras.size(); ++i) {
    const double share = static_cast<double>(i) / 39;
    capture.lenses[i] = LensOf(480 * (1 + 0.5 * share));
  }
  return capture;
}

TEST(TrueCapture, AZoomIsRightAndGood) {
  const TrueCapture capture = AZoom();
  ExpectRightAndGood(capture, SolveTrueCapture(capture));
}

TEST(TrueCapture, AZoomThroughALensThatWasAskedForIsNotCalledGoodIfWrong) {
  TrueCapture capture = AZoom();
  capture.camera_model = "SIMPLE_RADIAL";
  const TrueResult result = SolveTrueCapture(capture);
  EXPECT_GT(result.worst, kWrong) << result.All();
  ExpectHonest(result);
}

// Four sides that look alike, on a floor that does not.
TrueCapture ABoxOfEqualSides(int images) {
  TrueCapture capture = OnAFloor(images, LensOf(620), 0.03);
  for (TruePoint& point : capture.points) point.looks += 1000;
  capture.points.erase(capture.points.begin(), capture.points.begin() + 360);
  const std::vector<TruePoint> label = ThingAlone(170);
  for (int side = 0; side < 4; ++side) {
    const double turn = side * std::numbers::pi / 2;
    Eigen::Matrix3d rotation;
    rotation << std::cos(turn), 0, std::sin(turn), 0, 1, 0, -std::sin(turn), 0,
        std::cos(turn);
    for (const TruePoint& mark : label) {
      capture.points.push_back(
          {rotation * Eigen::Vector3d(mark.place.x(), mark.place.y(), -1.1),
           rotation * -Eigen::Vector3d::UnitZ(),
           mark.looks});
    }
  }
  return capture;
}

TEST(TrueCapture, AClipRoundEqualSidesIsRightAndGood) {
  TrueCapture capture = ABoxOfEqualSides(44);
  capture.video = true;
  ExpectRightAndGood(capture, SolveTrueCapture(capture));
}

TEST(TrueCapture, PhotosOfEqualSidesAreNotCalledGoodIfWrong) {
  ExpectHonest(SolveTrueCapture(ABoxOfEqualSides(44)));
}

// Straight ahead, through a lens of 124 degrees that bends the angle.
TEST(TrueCapture, AWalkStraightAheadWithAWideLensIsNotCalledGoodIfWrong) {
  TrueCapture capture;
  capture.video = true;
  capture.points = ThingOnAFloor(300);
  for (TruePoint& point : capture.points) {
    point.place.z() *= 3;
    if (!point.outward.isZero()) point.outward.setZero();
    if (point.looks < 300) point.place.x() *= 4;
  }
  for (int i = 0; i < 40; ++i) {
    const Eigen::Vector3d eye(
        0.03 * std::sin(1.3 * i), 0.04 * std::cos(0.9 * i), -9 + 0.15 * i);
    capture.cameras.push_back(
        LookAt(eye, eye + Eigen::Vector3d(0.02 * std::sin(0.4 * i), 0.05, 1)));
    capture.lenses.push_back(
        {kRadialFisheye, 643, 481, {297, 321.5, 240.5, 0, 0}});
  }
  ExpectHonest(SolveTrueCapture(capture));
}

}  // namespace
}  // namespace nerfpipe::sfm
