// The occupancy grid on densities given by a formula, and the walk through it.

#include "stages/nerf/occupancy_grid.h"

#include "stages/nerf/encoding.h"
#include "stages/nerf/free_space.h"
#include "stages/nerf/visibility.h"
#include "tests/stages/nerf/spheres.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <tuple>

#include <gtest/gtest.h>

namespace nerfpipe::nerf {
namespace {

NgpOptions SmallGrid() {
  NgpOptions options;
  options.grid_resolution = 32;
  options.grid_warmup = 32;
  options.grid_every = 4;
  options.grid_decay = 0.95;
  options.grid_threshold = 0.01;
  return options;
}

Rays OneRay(std::vector<float> origin,
            std::vector<float> direction,
            float near,
            float far) {
  Rays rays;
  rays.origins = torch::tensor(origin).view({1, 3});
  rays.directions = torch::tensor(direction).view({1, 3});
  rays.view_directions = rays.directions;
  rays.near = torch::full({1}, near);
  rays.far = torch::full({1}, far);
  return rays;
}

// Of the frame, in the world: its axes have length `scale`.
std::array<double, 3> InWorld(const SceneFrame& frame,
                              const std::array<double, 3>& x) {
  std::array<double, 3> world = {};
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      const double* row = frame.normalised_from_world.data() + 4 * j;
      world[i] += row[i] * (x[j] - row[3]) / (frame.scale * frame.scale);
    }
  }
  return world;
}

bool InView(const Camera& camera, const std::array<double, 3>& world) {
  const auto& m = camera.world_from_camera;
  double c[3] = {};
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      c[i] += m[4 * j + i] * (world[j] - m[4 * j + 3]);
    }
  }
  if (c[2] >= 0) return false;
  const double u = camera.cx - camera.fx * c[0] / c[2];
  const double v = camera.cy + camera.fy * c[1] / c[2];
  return u >= 0 && u <= camera.width && v >= 0 && v <= camera.height;
}

// A ball of radius 0.2 about (0.6, 0.5, 0.5) of the unit cube.
torch::Tensor BallDensity(const torch::Tensor& positions) {
  const torch::Tensor centre = torch::tensor({0.6f, 0.5f, 0.5f});
  const torch::Tensor inside = (positions - centre).norm(2, {-1}) < 0.2;
  return inside.to(torch::kFloat32) * 50;
}

TEST(OccupancyGridTest, FindsABallAndForgetsIt) {
  OccupancyGrid grid(SmallGrid(), /*bounded=*/true, 1);
  EXPECT_EQ(grid.OccupiedPart(), 1);
  for (int step = 0; step < 32; ++step) {
    grid.UpdateIfDue(step, 0.01, BallDensity, torch::kCPU);
  }
  const torch::Tensor points = torch::rand({20000, 3});
  const torch::Tensor distance =
      (points - torch::tensor({0.6f, 0.5f, 0.5f})).norm(2, {-1});
  const torch::Tensor occupied = grid.Occupied(points);
  const double cell = 1.0 / 32;
  const torch::Tensor inside = distance < 0.2 - 2 * cell;
  const torch::Tensor outside = distance > 0.2 + 2 * cell;
  EXPECT_TRUE(occupied.index({inside}).all().item<bool>());
  EXPECT_FALSE(occupied.index({outside}).any().item<bool>());

  // The ball goes: its cells (optical thickness 0.5) fade below 0.01.
  for (int step = 32; step < 32 + 4 * 90; ++step) {
    grid.UpdateIfDue(
        step,
        0.01,
        [](const torch::Tensor& x) { return torch::zeros({x.size(0)}); },
        torch::kCPU);
  }
  EXPECT_LT(grid.values().max().item<double>(), 0.01);
  // And comes back where it is looked for.
  for (int step = 400; step < 400 + 4 * 300; ++step) {
    grid.UpdateIfDue(step, 0.01, BallDensity, torch::kCPU);
  }
  EXPECT_GT(grid.Occupied(points.index({inside}))
                .to(torch::kFloat64)
                .mean()
                .item<double>(),
            0.95);
}

TEST(OccupancyGridTest, RaysAreSampledInsideTheBallOnly) {
  OccupancyGrid grid(SmallGrid(), true, 1);
  for (int step = 0; step < 32; ++step) {
    grid.UpdateIfDue(step, 0.01, BallDensity, torch::kCPU);
  }
  // Along x through the middle of the ball, at (0.2, 0, 0), radius 0.4, of the
  // frame's box. Depth counts along an axis that the ray leaves by a factor 2.
  const Rays rays = OneRay({-1, 0.01f, 0.01f}, {2, 0, 0}, 0, 1);
  MarchRules rules;
  rules.step = 0.01;
  const PackedSamples samples = grid.March(rays, torch::full({1}, 0.5f), rules);
  const double covered = samples.deltas.sum().item<double>();
  EXPECT_GT(covered, 0.8 - 4.0 / 32 - 0.02);
  EXPECT_LT(covered, 0.8 + 4.0 / 32 + 0.02);
  EXPECT_TRUE(grid.Occupied(samples.positions).all().item<bool>());
  EXPECT_NEAR(samples.deltas[0].item<double>(), 0.01, 1e-7);
  // Positions, depths and the lattice of steps belong together.
  const torch::Tensor x = -1 + 2 * samples.depths;
  EXPECT_LT(
      ((x + 1) / 2 - samples.positions.select(1, 0)).abs().max().item<float>(),
      1e-5);
  const torch::Tensor lattice = samples.depths / 0.005 - 0.5;
  EXPECT_LT((lattice - lattice.round()).abs().max().item<float>(), 0.02);
  EXPECT_EQ(samples.offsets[1].item<int64_t>(), samples.depths.size(0));
}

TEST(OccupancyGridTest, UnboundedRaysAreContractedAndStepsGrow) {
  const OccupancyGrid grid(SmallGrid(), /*bounded=*/false, 1);
  const Rays rays = OneRay({0.1f, -0.2f, 0.3f}, {0.5f, 0.1f, -1}, 0.1f, 40);
  MarchRules rules;
  rules.step = 0.02;
  rules.cone = 0.05;
  const PackedSamples samples = grid.March(rays, torch::zeros({1}), rules);
  const torch::Tensor expected =
      (Contract(rays.origins + rays.directions * samples.depths.unsqueeze(1)) +
       2) /
      4;
  EXPECT_LT((samples.positions - expected).abs().max().item<double>(), 1e-5);
  const double length = rays.directions.norm().item<double>();
  const torch::Tensor steps = (samples.depths * length * 0.05).clamp_min(0.02);
  EXPECT_LT((samples.deltas - steps).abs().max().item<double>(), 1e-4);
  // All of space counts as occupied: the samples reach from near to far.
  EXPECT_NEAR(samples.deltas.sum().item<double>(), 39.9 * length, 3);
  EXPECT_FLOAT_EQ(samples.depths[0].item<float>(), 0.1f);
}

TEST(OccupancyGridTest, WhatNoCameraSeesIsNeverFilled) {
  OccupancyGrid grid(SmallGrid(), true, 1);
  // At (3, 0.2, 0.1), looking along -x through a lens that sees more of what is
  // up (to z = 0.7 at x = 0) than of what is beside the axis (y = 0.2 +- 0.25).
  Camera camera;
  camera.width = 17;
  camera.height = 31;
  camera.fx = 102;
  camera.fy = 75;
  camera.cx = 8.5;
  camera.cy = 15;
  camera.world_from_camera = {0, 0, 1, 3, 1, 0, 0, 0.2, 0, 1, 0, 0.1};
  SceneFrame frame;
  frame.bounded = true;
  View view;
  view.camera = camera;
  grid.MarkEmpty({view}, frame);
  const torch::Tensor seen = torch::tensor(
      {{0.5f, 0.6f, 0.55f}, {0.5f, 0.6f, 0.82f}, {0.5f, 0.7f, 0.55f}});
  const torch::Tensor unseen = torch::tensor(
      {{0.5f, 0.6f, 0.95f}, {0.5f, 0.82f, 0.55f}, {0.5f, 0.37f, 0.55f}});
  for (int step = 0; step < 40; ++step) {
    grid.UpdateIfDue(
        step,
        0.01,
        [](const torch::Tensor& x) { return torch::full({x.size(0)}, 99.0f); },
        torch::kCPU);
  }
  EXPECT_TRUE(grid.Occupied(seen).all().item<bool>());
  EXPECT_FALSE(grid.Occupied(unseen).any().item<bool>());
}

// A camera at x = -0.9 sees a point at x = 0.6: what lies between is free, but
// may be filled later on.
TEST(OccupancyGridTest, LinesOfSightAreFreeAtFirst) {
  OccupancyGrid grid(SmallGrid(), true, 1);
  SceneFrame frame;
  frame.bounded = true;
  const torch::Tensor sights =
      torch::tensor({-0.9, 0.01, 0.01, 0.6, 0.01, 0.01}, torch::kDouble)
          .view({1, 2, 3});
  grid.CloseFree(sights, frame);
  const auto solid = [](const torch::Tensor& x) {
    return torch::full({x.size(0)}, 99.0f);
  };
  const auto unit = [](double x, double y) {
    return torch::tensor({{(x + 1) / 2, (y + 1) / 2, 0.505}}, torch::kFloat32);
  };
  const auto fill = [&](int from, int to) {
    for (int step = from; step < to; ++step) {
      grid.UpdateIfDue(step, 0.01, solid, torch::kCPU);
    }
  };
  fill(0, 200);
  for (const double x : {-0.85, -0.3, 0.2, 0.48}) {
    EXPECT_TRUE(grid.Free(unit(x, 0.01)).item<bool>()) << x;
    EXPECT_FALSE(grid.Occupied(unit(x, 0.01)).item<bool>()) << x;
  }
  // Behind the camera, at the point, behind it, and beside the line.
  for (const auto& [x, y] : {std::pair(-0.99, 0.01),
                             std::pair(0.6, 0.01),
                             std::pair(0.8, 0.01),
                             std::pair(0.0, 0.3)}) {
    EXPECT_FALSE(grid.Free(unit(x, y)).item<bool>()) << x;
    EXPECT_TRUE(grid.Occupied(unit(x, y)).item<bool>()) << x;
  }
  // What was saved while they were closed is so again.
  const torch::Tensor saved = grid.values().clone();
  grid.OpenFree();
  fill(200, 800);
  EXPECT_TRUE(grid.Occupied(unit(-0.3, 0.01)).item<bool>());
  grid.SetValues(saved);
  EXPECT_FALSE(grid.Occupied(unit(-0.3, 0.01)).item<bool>());
  grid.OpenFree();
  fill(800, 1400);
  EXPECT_TRUE(grid.Occupied(unit(-0.3, 0.01)).item<bool>());
}

// Lines to points ten units off, in all directions: they leave no cell of
// contracted space out on their way, at any distance.
TEST(OccupancyGridTest, LinesOfSightAreUnbrokenInContractedSpace) {
  constexpr int64_t kSide = 128;
  std::mt19937 random(3);
  std::normal_distribution<double> normal(0, 1);
  SceneFrame frame;
  for (int line = 0; line < 20; ++line) {
    double d[3];
    for (double& x : d) x = normal(random);
    const double norm = std::hypot(d[0], d[1], d[2]);
    const torch::Tensor sights = torch::tensor({0.0,
                                                0.0,
                                                0.0,
                                                10 * d[0] / norm,
                                                10 * d[1] / norm,
                                                10 * d[2] / norm},
                                               torch::kDouble)
                                     .view({1, 2, 3});
    const torch::Tensor free = FreeCells(sights, frame, kSide, 2);
    // Even in contracted space.
    const torch::Tensor near = torch::linspace(0.01, 1, 500);
    const torch::Tensor away =
        torch::cat({near, 1 / torch::linspace(1, 0.105, 500)});
    const torch::Tensor largest = torch::tensor(
        std::max({std::abs(d[0]), std::abs(d[1]), std::abs(d[2])}));
    const torch::Tensor path =
        (away / (largest / norm)).unsqueeze(1) *
        torch::tensor({{d[0] / norm, d[1] / norm, d[2] / norm}});
    const torch::Tensor inside =
        path.index({path.norm(2, {1}) < 9.6, torch::indexing::Slice()});
    const torch::Tensor cell =
        ((Contract(inside.to(torch::kFloat32)) + 2) / 4 * kSide)
            .floor()
            .to(torch::kInt64);
    const torch::Tensor index =
        cell.select(1, 0) +
        kSide * (cell.select(1, 1) + kSide * cell.select(1, 2));
    // Corners that are cut short may be missed.
    const torch::Tensor passed = free.index_select(0, index);
    EXPECT_GT(passed.to(torch::kFloat32).mean().item<double>(), 0.93) << line;
    const int64_t cells = std::get<0>(at::_unique(index)).size(0);
    EXPECT_LE(free.sum().item<int64_t>(), cells + 2);
  }
}

// What lies in view of a camera by its own rule is visible, in spaces of both
// kinds, in a number of cells that is no multiple of anything.
TEST(OccupancyGridTest, NoCellInViewIsMissed) {
  constexpr int64_t kSide = 42;
  const SceneFrame frame = BallFrame();
  std::vector<Camera> cameras;
  for (const View& view : BallDataset(/*with_far_view=*/true).train) {
    cameras.push_back(view.camera);
  }
  for (const double half : {1.0, 2.0}) {
    const torch::Tensor visible = VisibleCells(cameras, frame, kSide, half);
    const bool* seen = visible.data_ptr<bool>();
    int64_t in_view = 0;
    for (int64_t cell = 0; cell < kSide * kSide * kSide; ++cell) {
      std::array<double, 3> x;
      double norm = 0;
      for (int i = 0; i < 3; ++i) {
        const int64_t number = i == 0   ? cell % kSide
                               : i == 1 ? cell / kSide % kSide
                                        : cell / (kSide * kSide);
        x[i] = (static_cast<double>(number) + 0.5) * 2 * half / kSide - half;
        norm = std::max(norm, std::abs(x[i]));
      }
      if (norm > 1) {
        for (double& value : x) value /= norm * (2 - norm);
      }
      const auto world = InWorld(frame, x);
      if (!std::any_of(cameras.begin(), cameras.end(), [&](const Camera& c) {
            return InView(c, world);
          })) {
        continue;
      }
      ++in_view;
      ASSERT_TRUE(seen[cell]) << half << " " << cell;
    }
    EXPECT_GT(in_view, kSide * kSide);
  }
}

// Cells of the visual hull of two balls: what touches a ball stays, most of
// the rest goes.
TEST(OccupancyGridTest, TransparentPixelsEmptyTheGrid) {
  constexpr int64_t kSide = 32;
  const Dataset dataset = BallDataset();
  const SceneFrame frame = BallFrame();
  std::vector<Camera> cameras;
  std::vector<torch::Tensor> images;
  for (const View& view : dataset.train) {
    cameras.push_back(view.camera);
    images.push_back(view.image);
  }
  const torch::Tensor empty = EmptyCells(cameras, images, frame, kSide, 1);
  const bool* gone = empty.data_ptr<bool>();
  // Of the frame.
  const auto from_ball = [&](const std::array<double, 3>& x, int ball) {
    const auto c =
        InFrame(frame, {kBalls[ball][0], kBalls[ball][1], kBalls[ball][2]});
    return std::hypot(x[0] - c[0], x[1] - c[1], x[2] - c[2]) -
           frame.scale * kBalls[ball][3];
  };
  const double reach = std::sqrt(3.0) / kSide;
  int64_t outside = 0, gone_outside = 0;
  for (int64_t i = 0; i < kSide * kSide * kSide; ++i) {
    const auto middle = [](int64_t cell) {
      return (2.0 * static_cast<double>(cell) + 1) / kSide - 1;
    };
    const std::array<double, 3> x = {middle(i % kSide),
                                     middle(i / kSide % kSide),
                                     middle(i / kSide / kSide)};
    const double gap = std::min(from_ball(x, 0), from_ball(x, 1));
    if (gap < reach) {
      ASSERT_FALSE(gone[i]) << x[0] << " " << x[1] << " " << x[2];
    } else {
      ++outside;
      gone_outside += gone[i];
    }
  }
  EXPECT_GT(gone_outside, outside / 2);
  // Opaque images have no say.
  for (torch::Tensor& image : images) image = image.slice(2, 0, 3);
  EXPECT_FALSE(EmptyCells(cameras, images, frame, kSide, 1).any().item<bool>());
}

// Cells of one density each: what an update makes of them.
class GridUpdateTest : public ::testing::Test {
 protected:
  static torch::Tensor Constant(const torch::Tensor& x, double density) {
    return torch::full({x.size(0)}, density, torch::kFloat32);
  }
  void Update(int64_t step, double density) {
    grid_.UpdateIfDue(
        step,
        0.5,
        [&](const torch::Tensor& x) {
          ++looks_;
          return Constant(x, density);
        },
        torch::kCPU);
  }
  double Least() const { return grid_.values().min().item<double>(); }
  double Most() const { return grid_.values().max().item<double>(); }

  int looks_ = 0;
  OccupancyGrid grid_{SmallGrid(), /*bounded=*/true, 1};
};

// Every second of 32 steps visits an eighth of the cells; the first visit says
// what is there, the later ones let it fade or rise.
TEST_F(GridUpdateTest, WarmUpVisitsAllCellsTwice) {
  for (int step = 0; step <= 16; ++step) {
    Update(step, 3);
    EXPECT_EQ(looks_, step / 2) << step;
  }
  // Optical thickness: density times half. Cells fade from their visit on.
  EXPECT_NEAR(Most(), 1.5, 1e-6);
  EXPECT_NEAR(Least(), 1.5 * std::pow(0.95, 7), 1e-5);
  for (int step = 17; step < 32; ++step) Update(step, 0.5);
  EXPECT_EQ(looks_, 15);
  // Larger values stay, and fade.
  EXPECT_NEAR(Most(), 1.5 * std::pow(0.95, 7), 1e-5);
  EXPECT_NEAR(Least(), 1.5 * std::pow(0.95, 14), 1e-5);
}

TEST_F(GridUpdateTest, LaterOnesComeEveryFewStepsToSomeCells) {
  for (int step = 0; step < 32; ++step) Update(step, 3);
  looks_ = 0;
  const torch::Tensor before = grid_.values().clone();
  for (int step = 32; step < 36; ++step) Update(step, 100);
  EXPECT_EQ(looks_, 1);
  const torch::Tensor raised = grid_.values() == 50;
  const double share = raised.to(torch::kFloat64).mean().item<double>();
  // A 32nd of all, and as many that are occupied: here all are.
  EXPECT_NEAR(share, 2.0 / 32, 0.003);
  EXPECT_TRUE(torch::allclose(grid_.values().masked_select(~raised),
                              0.95 * before.masked_select(~raised)));
}

// Occupied is what is above the threshold or, in a thin scene, above the mean.
TEST_F(GridUpdateTest, ThresholdIsTheLowerOfTwo) {
  torch::Tensor values = torch::full_like(grid_.values(), 0.0099f);
  values.slice(0, 0, 100) = 5;
  grid_.SetValues(values);
  EXPECT_NEAR(grid_.OccupiedPart(), 100.0 / 32768, 1e-9);
  values.slice(0, 100, 300) = 0.0101f;
  grid_.SetValues(values);
  EXPECT_NEAR(grid_.OccupiedPart(), 300.0 / 32768, 1e-9);
  values.fill_(1e-4f);
  values.slice(0, 0, 100) = 2e-3f;
  values.slice(0, 100, 200) = -1;  // never seen: not part of the mean
  grid_.SetValues(values);
  EXPECT_NEAR(grid_.OccupiedPart(), 100.0 / 32768, 1e-9);
}

}  // namespace
}  // namespace nerfpipe::nerf
