// Pixels to rays, against points projected by hand.

#include "stages/nerf/rays.h"

#include <cmath>

#include <gtest/gtest.h>

namespace nerfpipe::nerf {
namespace {

// Looks along -z of the world from (1, 2, 3), turned by 90 degrees about z: its
// right is the world's y.
Camera TurnedCamera() {
  Camera camera;
  camera.width = 8;
  camera.height = 6;
  camera.fx = 10;
  camera.fy = 20;
  camera.cx = 3.75;
  camera.cy = 3.5;
  camera.world_from_camera = {0, -1, 0, 1, 1, 0, 0, 2, 0, 0, 1, 3};
  return camera;
}

// Half the size, moved by (0, 0, 1), axes turned about x by 90 degrees.
SceneFrame TurnedFrame() {
  SceneFrame frame;
  frame.scale = 0.5;
  frame.normalised_from_world = {0.5, 0, 0, 0, 0, 0, -0.5, 0, 0, 0.5, 0, 1};
  frame.near = 0.25;
  frame.far = 9;
  return frame;
}

torch::Tensor Index(int64_t value) {
  return torch::full({1}, value, torch::kInt64);
}

TEST(RaysTest, PixelCentreMeetsTheWorldPointItShows) {
  const CameraTable table(
      {TurnedCamera()}, TurnedFrame(), torch::kCPU, torch::kFloat64);
  const Rays rays = table.Through(Index(0), Index(6), Index(1), {});
  // At depth 4 in the world (2 in the frame), pixel centre (6.5, 1.5) is 1.1
  // to the right (world y) and 0.4 up (world -x).
  const double world[3] = {1 - 0.4, 2 + 1.1, 3 - 4};
  const double expected[3] = {
      0.5 * world[0], -0.5 * world[2], 0.5 * world[1] + 1};
  for (int i = 0; i < 3; ++i) {
    const double at = (rays.origins + 2 * rays.directions)[0][i].item<double>();
    EXPECT_NEAR(at, expected[i], 1e-12);
  }
  EXPECT_NEAR(rays.view_directions.norm().item<double>(), 1, 1e-12);
  EXPECT_DOUBLE_EQ(rays.near.item<double>(), 0.25);
  EXPECT_DOUBLE_EQ(rays.far.item<double>(), 9);

  RayRules parity;
  parity.integer_pixels = true;
  const Rays corner = table.Through(Index(0), Index(4), Index(3), parity);
  // The integers themselves: 0.025 to the right (world y, frame z) and 0.025 up
  // (world -x, frame -x).
  EXPECT_NEAR(corner.directions[0][0].item<double>(), -0.025, 1e-12);
  EXPECT_NEAR(corner.directions[0][1].item<double>(), 1, 1e-12);
  EXPECT_NEAR(corner.directions[0][2].item<double>(), 0.025, 1e-12);
}

// What a camera sees at the edges of NDC's picture is at -1 and 1 there, and a
// depth d at 1 - 2 / d; each axis has its own focal length.
TEST(RaysTest, NdcOfAnOffCentreLens) {
  Camera camera = TurnedCamera();
  camera.world_from_camera = {1, 0, 0, 0.5, 0, 1, 0, -0.25, 0, 0, 1, 0.125};
  SceneFrame frame;
  frame.scale = 0.5;
  frame.normalised_from_world = {0.5, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0.5, 0};
  frame.ndc = true;
  frame.ndc_focal_x = 2.5;
  frame.ndc_focal_y = 20.0 / 3;
  RayRules rules;
  rules.ndc = true;
  const CameraTable table({camera}, frame, torch::kCPU, torch::kFloat64);
  const Rays rays = table.Through(Index(0), Index(6), Index(1), rules);
  EXPECT_EQ(rays.near.item<double>(), 0);
  EXPECT_EQ(rays.far.item<double>(), 1);
  for (const double depth : {4.0, 9.0}) {
    // In the frame; pixel (6.5, 1.5) has slopes 0.275 and 0.1.
    const double x = 0.5 * (0.5 + 0.275 * depth);
    const double y = 0.5 * (-0.25 + 0.1 * depth);
    const double z = 0.5 * (0.125 - depth);
    const double expected[3] = {-2.5 * x / z, -20.0 / 3 * y / z, 1 + 2 / z};
    const double t = (expected[2] - rays.origins[0][2].item<double>()) /
                     rays.directions[0][2].item<double>();
    for (int i = 0; i < 3; ++i) {
      EXPECT_NEAR((rays.origins + t * rays.directions)[0][i].item<double>(),
                  expected[i],
                  1e-12);
    }
    const Rays plain = table.Through(Index(0), Index(6), Index(1), {});
    EXPECT_NEAR(DepthFromNdc(plain, torch::full({1}, t, torch::kFloat64))
                    .item<double>(),
                0.5 * depth,
                1e-9);
  }
  frame.ndc = false;  // a frame that has none offers none
  const CameraTable other({camera}, frame, torch::kCPU, torch::kFloat64);
  EXPECT_TRUE(other.Through(Index(0), Index(6), Index(1), rules)
                  .origins.equal(
                      table.Through(Index(0), Index(6), Index(1), {}).origins));
}

TEST(RaysTest, AllPixelsComeRowByRow) {
  const CameraTable table(
      {TurnedCamera()}, TurnedFrame(), torch::kCPU, torch::kFloat64);
  const Rays all = table.ThroughAll(0, {});
  ASSERT_EQ(all.size(), 48);
  const Rays one = table.Through(Index(0), Index(5), Index(2), {});
  EXPECT_TRUE(all.directions[2 * 8 + 5].equal(one.directions[0]));
}

TEST(RaysTest, TheLoopDoesWhatIsDefined) {
  Camera other = TurnedCamera();
  other.cx = 4.5;
  other.world_from_camera = {1, 0, 0, -1, 0, 0.6, -0.8, 0, 0, 0.8, 0.6, 2};
  const CameraTable table(
      {TurnedCamera(), other}, TurnedFrame(), torch::kCPU, torch::kFloat64);
  const torch::Tensor view = torch::arange(96) / 48;
  const torch::Tensor x = torch::arange(96).remainder(8);
  const torch::Tensor y = torch::arange(96).floor_divide(8).remainder(6);
  const torch::Tensor views = view.to(torch::kInt64);
  const Rays loop = table.Through(views, x, y, {});
  const Rays plain = table.ThroughPlain(views, x, y, {});
  for (const auto& part : {&Rays::origins,
                           &Rays::directions,
                           &Rays::view_directions,
                           &Rays::near,
                           &Rays::far}) {
    EXPECT_TRUE(torch::allclose(loop.*part, plain.*part, 1e-14, 1e-14));
  }
}

TEST(RaysTest, ClippingKeepsThePartInsideTheBox) {
  Rays rays;
  rays.origins = torch::tensor(
      {{0.0, 0.0, 3.0}, {0.0, 0.0, 0.0}, {0.0, 2.0, 3.0}}, torch::kFloat64);
  rays.directions = torch::tensor(
      {{0.0, 0.0, -1.0}, {0.5, 0.0, -1.0}, {0.0, 0.0, -1.0}}, torch::kFloat64);
  rays.near = torch::full({3}, 0.5, torch::kFloat64);
  rays.far = torch::full({3}, 3.5, torch::kFloat64);
  const Rays clipped = ClipToBox(rays);
  EXPECT_NEAR(clipped.near[0].item<double>(), 2, 1e-9);
  EXPECT_NEAR(clipped.far[0].item<double>(), 3.5, 1e-9);
  EXPECT_NEAR(clipped.near[1].item<double>(), 0.5, 1e-9);
  EXPECT_NEAR(clipped.far[1].item<double>(), 1, 1e-9);
  // A miss is empty.
  EXPECT_EQ(clipped.near[2].item<double>(), clipped.far[2].item<double>());
}

}  // namespace
}  // namespace nerfpipe::nerf
