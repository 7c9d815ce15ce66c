#include "stages/nerf/render_path.h"

#include "pipeline/base/error.h"
#include "tests/stages/nerf/rigs.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace nerfpipe::nerf {
namespace {

const Vec3 kFocus = {3, -2, 5};
const Vec3 kUp = {0, 0.6, 0.8};

SceneFrame FrameOf(SceneType type) {
  SceneFrame frame;
  frame.type = type;
  return frame;
}

TEST(RenderPathTest, OrbitIsAClosedCircleLookingAtTheFocus) {
  const std::vector<Camera> path = MakeRenderPath(
      Orbit(40, kFocus, kUp, 4, 2), FrameOf(SceneType::kOrbit), {});
  ASSERT_EQ(path.size(), 120);
  const double step = 2 * 4 * std::sin(kPi / 120);
  for (size_t i = 0; i < path.size(); ++i) {
    const Pose pose = PoseOf(path[i]);
    const Pose next = PoseOf(path[(i + 1) % path.size()]);
    const Vec3 offset = pose.centre - kFocus;
    EXPECT_NEAR(Dot(offset, kUp), 2, 1e-6);
    EXPECT_NEAR(Norm(offset), std::sqrt(20.0), 1e-6);
    EXPECT_LT(AngleBetween(offset, pose.back), 1e-6);
    EXPECT_GT(Dot(pose.up, kUp), 0.8);
    EXPECT_NEAR(Norm(next.centre - pose.centre), step, 1e-6);
    // Counter-clockwise, seen from above.
    EXPECT_GT(Dot(Cross(offset, next.centre - kFocus), kUp), 0);
  }
}

TEST(RenderPathTest, PartialOrbitStaysWhereTheCamerasWere) {
  const Dataset dataset = Orbit(25, kFocus, kUp, 4, 2, 120);
  const std::vector<Camera> path =
      MakeRenderPath(dataset, FrameOf(SceneType::kOrbit), {});
  double nearest_to_end = 1e9;
  for (size_t i = 0; i < path.size(); ++i) {
    const Pose pose = PoseOf(path[i]);
    double nearest = 1e9;
    for (const View& view : dataset.train) {
      nearest =
          std::min(nearest, Norm(PoseOf(view.camera).centre - pose.centre));
    }
    EXPECT_LT(nearest, 0.2);  // cameras are 0.35 apart
    nearest_to_end = std::min(
        nearest_to_end,
        Norm(PoseOf(dataset.train.back().camera).centre - pose.centre));
    const Pose next = PoseOf(path[(i + 1) % path.size()]);
    EXPECT_LT(Norm(next.centre - pose.centre), 0.25);  // closed
  }
  EXPECT_LT(nearest_to_end, 1e-6);  // and the whole arc is swept
}

TEST(RenderPathTest, SpiralHasNerfPytorchsFigures) {
  const std::vector<Camera> path =
      MakeRenderPath(Grid(), FrameOf(SceneType::kForwardFacing), {});
  ASSERT_EQ(path.size(), 120);
  // 90th percentiles of |x| and |y| of the grid; the centres have one depth.
  const double radius_x = 0.6;
  const double radius_y = 0.45;
  const double focal = 1 / (0.25 / (0.9 * 4) + 0.75 / (5 * 40));
  const Pose first = PoseOf(path[0]);
  ExpectNear(first.centre, {radius_x, 0, 0}, 1e-9);
  ExpectNear(first.back, Normalised({radius_x, 0, focal}), 1e-9);
  const Pose quarter = PoseOf(path[15]);
  ExpectNear(quarter.centre, {0, -radius_y, 0}, 1e-9);
  ExpectNear(PoseOf(path[60]).centre, first.centre, 1e-9);
}

// Where cameras stand at unlike depths, it moves to and fro by them; up is that
// of the cameras.
TEST(RenderPathTest, SpiralMovesAlongTheView) {
  Dataset dataset = Grid();
  double mean = 0;
  for (size_t i = 0; i < dataset.train.size(); ++i) {
    Camera& camera = dataset.train[i].camera;
    camera.world_from_camera[11] = 0.1 * static_cast<double>(i % 4);
    mean += camera.world_from_camera[11] / 20;
  }
  const std::vector<Camera> path =
      MakeRenderPath(dataset, FrameOf(SceneType::kForwardFacing), {});
  // Half of the cameras are 0.05 off the mean, the others 0.15.
  ExpectNear(PoseOf(path[30]).centre, {-0.6, 0, mean - 0.15}, 1e-9);
  ExpectNear(PoseOf(path[90]).centre, {-0.6, 0, mean + 0.15}, 1e-9);
  EXPECT_NEAR(Dot(PoseOf(path[15]).right, {0, 1, 0}), 0, 1e-9);
  EXPECT_GT(PoseOf(path[15]).up.y, 0.9);
}

TEST(RenderPathTest, HalfWayBetweenTwoCamerasIsTheirMean) {
  Dataset dataset;
  dataset.train.push_back(
      ViewFrom(LookAlong({1, 0, 2}, {0.2, 0, 1}, {0, 1, 0}), 0));
  dataset.test.push_back(
      ViewFrom(LookAlong({3, 1, 5}, {-0.2, 0, 1}, {0, 1, 0}), 1));
  PathOptions options;
  options.path = "interpolate";
  for (const int frames : {1, 5}) {
    options.frames = frames;
    const std::vector<Camera> path =
        MakeRenderPath(dataset, FrameOf(SceneType::kOrbit), options);
    ASSERT_EQ(path.size(), frames);
    const Pose pose = PoseOf(path[frames / 2]);
    ExpectNear(pose.centre, {2, 0.5, 3.5}, 1e-3);
    ExpectNear(pose.back, {0, 0, 1}, 1e-3);
    ExpectNear(pose.up, {0, 1, 0}, 1e-3);
  }
}

TEST(RenderPathTest, InterpolatedPathRunsSmoothlyPastTheCameras) {
  Dataset dataset = Walk();
  std::reverse(dataset.train.begin(), dataset.train.end());  // order is by name
  const std::vector<Camera> path =
      MakeRenderPath(dataset, FrameOf(SceneType::kWalk), {});
  ExpectNear(PoseOf(path.front()).centre,
             PoseOf(dataset.train.back().camera).centre,
             1e-9);
  ExpectNear(PoseOf(path.back()).centre,
             PoseOf(dataset.train.front().camera).centre,
             1e-9);
  for (const View& view : dataset.train) {
    double nearest = 1e9;
    for (const Camera& camera : path) {
      nearest = std::min(
          nearest, Norm(PoseOf(view.camera).centre - PoseOf(camera).centre));
    }
    EXPECT_LT(nearest, 0.15);
  }
  for (size_t i = 2; i < path.size(); ++i) {
    const Vec3 a = PoseOf(path[i - 2]).centre;
    const Vec3 b = PoseOf(path[i - 1]).centre;
    const Vec3 c = PoseOf(path[i]).centre;
    EXPECT_LT(Norm(c - b), 0.3);
    EXPECT_LT(Norm(a - b - (b - c)), 0.05);
  }
}

TEST(RenderPathTest, DefaultsFollowTheSceneAndSizesKeepTheLens) {
  EXPECT_EQ(DefaultPath(SceneType::kForwardFacing), "spiral");
  EXPECT_EQ(DefaultPath(SceneType::kOrbit), "orbit");
  EXPECT_EQ(DefaultPath(SceneType::kInward), "orbit");
  EXPECT_EQ(DefaultPath(SceneType::kWalk), "interpolate");
  PathOptions options;
  options.frames = 7;
  options.width = 160;
  const std::vector<Camera> path =
      MakeRenderPath(Grid(), FrameOf(SceneType::kForwardFacing), options);
  ASSERT_EQ(path.size(), 7);
  // The first camera has 81 x 61 pixels and focal lengths of 70.5 and 64.25.
  const auto expect = [](const Camera& camera, int width, int height) {
    EXPECT_EQ(camera.width, width);
    EXPECT_EQ(camera.height, height);
    const double zoom = std::min(width / 81.0, height / 61.0);
    EXPECT_DOUBLE_EQ(camera.fx, 70.5 * zoom);
    EXPECT_DOUBLE_EQ(camera.fy, 64.25 * zoom);
    EXPECT_DOUBLE_EQ(camera.cx, width / 2.0);
    EXPECT_DOUBLE_EQ(camera.cy, height / 2.0);
  };
  for (const Camera& camera : path) expect(camera, 160, 120);
  const auto first = [&](int width, int height) {
    options.width = width;
    options.height = height;
    return MakeRenderPath(Grid(), FrameOf(SceneType::kForwardFacing), options)
        .front();
  };
  expect(first(0, 0), 81, 61);
  expect(first(0, 99), 131, 99);
  expect(first(0, 5), 7, 5);
  expect(first(91, 33), 91, 33);
  expect(first(31, 155), 31, 155);
  options.path = "figure-eight";
  EXPECT_THROW(MakeRenderPath(Grid(), FrameOf(SceneType::kOrbit), options),
               UserError);
}

}  // namespace
}  // namespace nerfpipe::nerf
