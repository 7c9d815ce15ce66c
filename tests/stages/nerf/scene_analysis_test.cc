#include "stages/nerf/scene_analysis.h"

#include "pipeline/base/error.h"
#include "stages/nerf/scene_frame.h"
#include "tests/stages/nerf/rigs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::nerf {
namespace {

using ::testing::HasSubstr;

const Vec3 kFocus = {3, -2, 5};
const Vec3 kUp = {0, 0.6, 0.8};

std::vector<Pose> PosesOf(const Dataset& dataset) {
  std::vector<Pose> poses;
  for (const View& view : dataset.train) {
    poses.push_back(PoseOf(view.camera));
  }
  return poses;
}

TEST(SceneAnalysisTest, OrbitIsPlacedRoundItsFocusWithZUp) {
  const Dataset dataset = Orbit(40, kFocus, kUp, 4, 2);
  const SceneFrame frame = AnalyseScene(dataset, {});
  EXPECT_EQ(frame.type, SceneType::kOrbit);
  EXPECT_THAT(frame.reason, HasSubstr("from 351 degrees"));
  EXPECT_FALSE(frame.bounded);
  EXPECT_FALSE(frame.ndc);
  EXPECT_NEAR(frame.scale, 1 / std::sqrt(20.0), 1e-9);
  ExpectNear(ToNormalised(frame, kFocus), {0, 0, 0}, 1e-6);
  ExpectNear(ToNormalised(frame, kFocus + kUp), {0, 0, frame.scale}, 1e-6);
  for (const Pose& pose : PosesOf(dataset)) {
    EXPECT_LE(Norm(ToNormalised(frame, pose.centre)), 1 + 1e-6);
  }
}

// The mean of the outward directions is zero here: spherify's up is noise.
TEST(SceneAnalysisTest, FlatOrbitKeepsItsUp) {
  const SceneFrame frame = AnalyseScene(Orbit(30, kFocus, kUp, 4, 0), {});
  EXPECT_EQ(frame.type, SceneType::kOrbit);
  ExpectNear(ToNormalised(frame, kFocus + kUp), {0, 0, frame.scale}, 1e-6);
}

// Half of an orbit from above: up axes all lean one way, their mean is wrong
// by some 20 degrees.
TEST(SceneAnalysisTest, UpOfAPartialOrbitDoesNotLean) {
  const Dataset dataset = Orbit(25, kFocus, kUp, 4, 3, 150);
  const std::vector<Pose> poses = PosesOf(dataset);
  ExpectNear(UpDirection(poses, FocusPoint(poses)), kUp, 1e-6);
  EXPECT_EQ(AnalyseScene(dataset, {}).type, SceneType::kOrbit);
}

// Pictures stored on their side: up axes run round the ring.
TEST(SceneAnalysisTest, SidewaysPicturesDoNotTipTheScene) {
  for (const double degrees : {360.0, 150.0}) {
    Dataset dataset = Orbit(24, kFocus, kUp, 4, 2, degrees);
    for (View& view : dataset.train) {
      const Pose pose = PoseOf(view.camera);
      SetPose({-pose.up, pose.right, pose.back, pose.centre}, &view.camera);
    }
    const std::vector<Pose> poses = PosesOf(dataset);
    ExpectNear(UpDirection(poses, FocusPoint(poses)), kUp, 1e-6);
  }
}

// A camera rolled anyhow: only the plane of the ring is left.
TEST(SceneAnalysisTest, RolledCamerasFindUpFromTheirPlane) {
  Dataset dataset = Orbit(24, kFocus, kUp, 4, 2);
  for (size_t i = 0; i < dataset.train.size(); ++i) {
    const Pose pose = PoseOf(dataset.train[i].camera);
    const double roll = 2.6 * static_cast<double>(i);
    const Vec3 up = std::cos(roll) * pose.up + std::sin(roll) * pose.right;
    SetPose(LookAlong(pose.centre, pose.back, up), &dataset.train[i].camera);
  }
  const std::vector<Pose> poses = PosesOf(dataset);
  ExpectNear(UpDirection(poses, FocusPoint(poses)), kUp, 1e-6);
}

TEST(SceneAnalysisTest, StrayCamerasDoNotMoveTheFocus) {
  Dataset dataset = Orbit(40, kFocus, kUp, 4, 2);
  for (int i = 0; i < 4; ++i) {
    Pose pose = PoseOf(dataset.train[10 * i].camera);
    pose = LookAlong(pose.centre, pose.back + 0.7 * pose.right, pose.up);
    SetPose(pose, &dataset.train[10 * i].camera);
  }
  ExpectNear(FocusPoint(PosesOf(dataset)), kFocus, 1e-3);
}

TEST(SceneAnalysisTest, DomeIsInward) {
  Dataset dataset;
  for (const double height : {0.0, 1.5, 3.0, 4.5}) {
    const Dataset ring =
        Orbit(12, kFocus, kUp, std::sqrt(25 - height * height), height);
    dataset.train.insert(
        dataset.train.end(), ring.train.begin(), ring.train.end());
  }
  EXPECT_EQ(AnalyseScene(dataset, {}).type, SceneType::kInward);
}

TEST(SceneAnalysisTest, ForwardFacingGridInNdcHasNerfPytorchsScale) {
  SceneOptions options;
  options.ndc = true;
  const SceneFrame frame = AnalyseScene(Grid(), options);
  EXPECT_EQ(frame.type, SceneType::kForwardFacing);
  EXPECT_TRUE(frame.ndc);
  EXPECT_NEAR(frame.scale, 1 / (4 * 0.75), 1e-12);
  EXPECT_NEAR(frame.ndc_focal_x, 2 * 70.5 / 81, 1e-12);
  EXPECT_NEAR(frame.ndc_focal_y, 2 * 64.25 / 61, 1e-12);
  EXPECT_NEAR(frame.near, 0.9 * 4 / 3, 1e-12);
  EXPECT_NEAR(frame.far, 40 / 3.0, 1e-12);
  EXPECT_FALSE(frame.lindisp);
  ExpectNear(
      ToNormalised(frame, {1, 2, -4}), {1 / 3.0, 2 / 3.0, -4 / 3.0}, 1e-9);
}

TEST(SceneAnalysisTest, ForwardFacingGridWithoutNdcHasItsForegroundInTheCube) {
  const SceneFrame frame = AnalyseScene(Grid(), {});
  EXPECT_FALSE(frame.ndc);
  EXPECT_FALSE(frame.bounded);
  const Vec3 near = ToNormalised(frame, {0, 0, -4});
  const Vec3 middle = ToNormalised(frame, {0, 0, -16});
  EXPECT_LE(Norm(near), 1 + 1e-9);
  EXPECT_LE(Norm(middle), 1 + 1e-9);
  EXPECT_GT(Norm(near - middle), 1);
  EXPECT_LE(Norm(ToNormalised(frame, {0, 0, 0})), 2);
  EXPECT_NEAR(frame.near, std::min(0.5, 0.9 * 4 * frame.scale), 1e-12);
  EXPECT_NEAR(frame.far, std::max(4.0, 1.2 * 40 * frame.scale), 1e-12);
  EXPECT_TRUE(frame.lindisp);
}

SceneType TypeOf(const Dataset& dataset) {
  return AnalyseScene(dataset, {}).type;
}

// Nine of ten within 35 degrees of the mean: 0.9 of the half arc here.
TEST(SceneAnalysisTest, HowFarDirectionsMaySpread) {
  EXPECT_EQ(TypeOf(Orbit(21, kFocus, kUp, 4, 0, 2 * 38)),
            SceneType::kForwardFacing);
  EXPECT_EQ(TypeOf(Orbit(21, kFocus, kUp, 4, 0, 2 * 40)), SceneType::kOrbit);
}

// Along the view more than twice as far as across it.
TEST(SceneAnalysisTest, WalkAheadIsNoForwardFacingScene) {
  for (const double aside : {2.2, 2.3}) {
    Dataset dataset;
    for (int i = 0; i <= 20; ++i) {
      const Vec3 centre = {aside * (i % 5), 0, -1.0 * i};  // 4 aside, 18
      dataset.train.push_back(
          ViewFrom({{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, centre}, i));
    }
    EXPECT_EQ(TypeOf(dataset),
              aside < 2.25 ? SceneType::kWalk : SceneType::kForwardFacing);
  }
}

TEST(SceneAnalysisTest, RingsOfUnlikeHeightMakeADome) {
  for (const double degrees : {34, 36}) {
    const double angle = degrees * kPi / 180;
    Dataset dataset = Orbit(12, kFocus, kUp, 5, 0);
    const Dataset upper =
        Orbit(12, kFocus, kUp, 5 * std::cos(angle), 5 * std::sin(angle));
    dataset.test = upper.train;  // held out, they tell as much
    EXPECT_EQ(TypeOf(dataset),
              degrees < 35 ? SceneType::kOrbit : SceneType::kInward);
  }
}

TEST(SceneAnalysisTest, FourOfFiveMustLookInward) {
  for (const size_t away : {3, 5}) {
    Dataset dataset = Orbit(20, kFocus, kUp, 4, 0);
    for (size_t i = 0; i < away; ++i) {
      const Pose pose = PoseOf(dataset.train[4 * i].camera);
      SetPose(LookAlong(pose.centre, -pose.back, pose.up),
              &dataset.train[4 * i].camera);
    }
    EXPECT_EQ(TypeOf(dataset),
              away == 3 ? SceneType::kOrbit : SceneType::kWalk);
  }
  for (const double degrees : {28, 32}) {
    Dataset dataset = Orbit(20, kFocus, kUp, 4, 0);
    for (View& view : dataset.train) {
      const Pose pose = PoseOf(view.camera);
      const double turn = degrees * kPi / 180;
      SetPose(
          LookAlong(pose.centre,
                    std::cos(turn) * pose.back + std::sin(turn) * pose.right,
                    pose.up),
          &view.camera);
    }
    EXPECT_EQ(TypeOf(dataset),
              degrees < 30 ? SceneType::kOrbit : SceneType::kWalk);
  }
}

TEST(SceneAnalysisTest, WalkHasItsCamerasInTheCube) {
  const Dataset dataset = Walk();
  const SceneFrame frame = AnalyseScene(dataset, {});
  EXPECT_EQ(frame.type, SceneType::kWalk);
  for (const Pose& pose : PosesOf(dataset)) {
    EXPECT_LE(Norm(ToNormalised(frame, pose.centre)), 1.2);
  }
  EXPECT_GT(frame.scale, 0.05);
  // With points, half of these, too.
  Dataset far = dataset;
  far.points = torch::zeros({11, 3}, torch::kDouble);
  for (int i = 0; i < 11; ++i) far.points[i][i % 3] = 1000 * (i + 1);
  EXPECT_NEAR(AnalyseScene(far, {}).scale, 1 / 6000.0, 1e-6);
}

// Quantiles of the depths of the points before the cameras; else a part and a
// multiple of the distance of what they look at.
TEST(SceneAnalysisTest, DepthsAreGuessedWithoutBounds) {
  Dataset dataset = Grid();
  for (View& view : dataset.train) view.near = view.far = 0;
  dataset.points = torch::zeros({102, 3}, torch::kDouble);
  for (int i = 0; i <= 100; ++i) dataset.points[i][2] = -1 - i;
  dataset.points[101][2] = 5;  // behind
  EXPECT_DOUBLE_EQ(DepthsOf(dataset).near, 2);
  EXPECT_DOUBLE_EQ(DepthsOf(dataset).far, 100);
  const DepthRange around = DepthsOf(Orbit(20, kFocus, kUp, 4, 3));
  EXPECT_NEAR(around.near, 0.2 * 5, 1e-6);
  EXPECT_NEAR(around.far, 20 * 5, 1e-4);
}

TEST(SceneAnalysisTest, CamerasThatLookOutwardAreNoOrbit) {
  Dataset dataset = Orbit(30, kFocus, kUp, 4, 0);
  for (View& view : dataset.train) {
    const Pose pose = PoseOf(view.camera);
    SetPose(LookAlong(pose.centre, -pose.back, pose.up), &view.camera);
  }
  EXPECT_EQ(AnalyseScene(dataset, {}).type, SceneType::kWalk);
}

TEST(SceneAnalysisTest, KnownBoxIsBounded) {
  Dataset dataset = Orbit(20, {0, 0, 0}, {0, 0, 1}, 3, 2);
  dataset.has_box = true;
  dataset.box = {-1.5, -1.5, -1.5, 1.5, 1.5, 1.5};
  const SceneFrame frame = AnalyseScene(dataset, {});
  EXPECT_TRUE(frame.bounded);
  ExpectNear(ToNormalised(frame, {1.5, -1.5, 0}), {1, -1, 0}, 1e-12);
  const double half_diagonal = 1.5 * std::sqrt(3.0);
  EXPECT_LE(frame.near, (std::sqrt(13.0) - half_diagonal) * frame.scale);
  EXPECT_GE(frame.far, (std::sqrt(13.0) + half_diagonal) * frame.scale * 0.999);
}

// The longest side fills the cube.
TEST(SceneAnalysisTest, KnownBoxMayBeAnywhere) {
  Dataset dataset = Orbit(20, {0, 0, 0}, {0, 0, 1}, 6, 2);
  dataset.has_box = true;
  dataset.box = {-1, -2, 0.5, 2, 1, 1.5};
  const SceneFrame frame = AnalyseScene(dataset, {});
  EXPECT_NEAR(frame.scale, 2.0 / 3, 1e-12);
  ExpectNear(ToNormalised(frame, {2, 1, 1.5}), {1, 1, 1 / 3.0}, 1e-12);
  ExpectNear(ToNormalised(frame, {-1, -2, 0.5}), {-1, -1, -1 / 3.0}, 1e-12);
}

TEST(SceneAnalysisTest, OneStrayNearBoundDoesNotScaleTheScene) {
  Dataset dataset = Grid();
  dataset.train[7].near = 0.0003;
  dataset.train[3].far = 4000;
  EXPECT_NEAR(DepthsOf(dataset).near, 0.2 * 4, 1e-12);
  EXPECT_NEAR(DepthsOf(dataset).far, 5 * 40, 1e-12);
  dataset.test.push_back(dataset.train[0]);
  dataset.test[0].near = 3;
  dataset.train.erase(dataset.train.begin() + 7);
  EXPECT_EQ(DepthsOf(dataset).near, 3);
}

TEST(SceneAnalysisTest, TypeCanBeSet) {
  SceneOptions options;
  options.type = "walk";
  const SceneFrame frame = AnalyseScene(Orbit(20, kFocus, kUp, 4, 2), options);
  EXPECT_EQ(frame.type, SceneType::kWalk);
  EXPECT_THAT(frame.reason, HasSubstr("train.scene"));
  options.type = "spherical";
  EXPECT_THROW(AnalyseScene(Grid(), options), UserError);
  EXPECT_THROW(AnalyseScene(Dataset{}, {}), UserError);
}

}  // namespace
}  // namespace nerfpipe::nerf
