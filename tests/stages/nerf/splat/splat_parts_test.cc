// Single gaussians, the views around them, and the first ones of a scene.

#include "stages/nerf/splat/densification.h"
#include "stages/nerf/splat/gaussian_set.h"
#include "stages/nerf/splat/initialisation.h"
#include "stages/nerf/splat/kernels/splat_kernels.h"
#include "stages/nerf/splat/kernels/survey.h"
#include "stages/nerf/splat/splat_space.h"
#include "tests/stages/nerf/kernels/simd_levels.h"
#include "tests/stages/nerf/spheres.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace nerfpipe::nerf::splat {
namespace {

using kernels::AtEverySimdLevel;

// Lengthy ones of many directions, with errors.
GaussianSet ManyGaussians(int64_t count, int64_t capacity) {
  GaussianSet set(1, capacity);
  std::mt19937 random(4);
  std::normal_distribution<float> normal(0, 1);
  for (int64_t i = 0; i < count; ++i) {
    set.Add({{normal(random), normal(random), normal(random)},
             {0.3f, 0.6f, 0.9f},
             0.1f,
             0.4f});
    for (int k = 0; k < 3; ++k) {
      set.at(i, kScaleRow + k) = -2 + 0.5f * normal(random);
    }
    for (int k = 0; k < 4; ++k) set.at(i, kRotationRow + k) = normal(random);
    set.errors()[i] = static_cast<float>(1 + i % 7);
  }
  return set;
}

// Covariance by the definition, row by row.
std::vector<double> CovarianceOf(const GaussianSet& set, int64_t i) {
  double q[4], norm = 0;
  for (int k = 0; k < 4; ++k) {
    q[k] = set.at(i, kRotationRow + k);
    norm += q[k] * q[k];
  }
  for (double& one : q) one /= std::sqrt(norm);
  const double w = q[0], x = q[1], y = q[2], z = q[3];
  const double r[9] = {1 - 2 * (y * y + z * z),
                       2 * (x * y - w * z),
                       2 * (x * z + w * y),
                       2 * (x * y + w * z),
                       1 - 2 * (x * x + z * z),
                       2 * (y * z - w * x),
                       2 * (x * z - w * y),
                       2 * (y * z + w * x),
                       1 - 2 * (x * x + y * y)};
  std::vector<double> covariance(9);
  for (int a = 0; a < 3; ++a) {
    for (int b = 0; b < 3; ++b) {
      for (int k = 0; k < 3; ++k) {
        covariance[3 * a + b] += r[3 * a + k] * r[3 * b + k] *
                                 std::exp(2 * set.at(i, kScaleRow + k));
      }
    }
  }
  return covariance;
}

// Together the halves have the place and the extent of the whole, and hide
// nearly as much in the middle.
TEST(GaussianSetTest, HalvesLookLikeTheWhole) {
  GaussianSet set = ManyGaussians(20, 40);
  for (int64_t i = 0; i < 20; ++i) {
    const std::vector<double> before = CovarianceOf(set, i);
    std::vector<double> mean;
    for (int k = 0; k < 3; ++k) mean.push_back(set.at(i, k));
    const int64_t j = set.count();
    set.Split(i);
    ASSERT_EQ(set.count(), j + 1);
    const std::vector<double> a = CovarianceOf(set, i);
    const std::vector<double> b = CovarianceOf(set, j);
    double apart[3];
    for (int k = 0; k < 3; ++k) {
      EXPECT_NEAR(0.5 * (set.at(i, k) + set.at(j, k)), mean[k], 1e-5);
      apart[k] = 0.5 * (set.at(i, k) - set.at(j, k));
    }
    for (int k = 0; k < 9; ++k) {
      EXPECT_NEAR(0.5 * (a[k] + b[k]) + apart[k / 3] * apart[k % 3],
                  before[k],
                  1e-4 * before[0] + 1e-5);
    }
    EXPECT_LT(set.OpacityOf(i), 0.4);
    EXPECT_GT(set.OpacityOf(i), 0.2);
    EXPECT_EQ(set.OpacityOf(i), set.OpacityOf(j));
    EXPECT_EQ(set.at(i, kColourRow), set.at(j, kColourRow));
  }
}

TEST(GaussianSetTest, ThoseRemovedMakeRoomForTheLast) {
  GaussianSet set = ManyGaussians(37, 40);
  const float last = set.at(36, kMeanRow);
  set.errors()[36] = 3.5f;
  set.Remove(5);
  EXPECT_EQ(set.count(), 36);
  EXPECT_EQ(set.at(5, kMeanRow), last);
  EXPECT_EQ(set.errors()[5], 3.5f);
}

TEST(GaussianSetTest, SortingBringsNeighboursTogether) {
  GaussianSet set = ManyGaussians(900, 1000);
  const auto path = [&] {
    double length = 0;
    for (int64_t i = 1; i < set.count(); ++i) {
      double square = 0;
      for (int k = 0; k < 3; ++k) {
        square += std::pow(set.at(i, k) - set.at(i - 1, k), 2);
      }
      length += std::sqrt(square);
    }
    return length;
  };
  // Each with its own scale and error.
  const auto all = [&] {
    std::vector<std::vector<float>> rows;
    for (int64_t i = 0; i < set.count(); ++i) {
      rows.push_back({set.at(i, 0), set.at(i, kScaleRow + 2), set.errors()[i]});
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  };
  const double before = path();
  const auto contents = all();
  set.SortByPlace();
  EXPECT_LT(path(), 0.3 * before);
  EXPECT_EQ(all(), contents);
}

TEST(DensifyTest, GoesByErrorOpacityAndFloaters) {
  GaussianSet set = ManyGaussians(60, 100);
  std::vector<uint8_t> floats(60);
  for (int64_t i = 0; i < 60; ++i) {
    set.at(i, kColourRow) = static_cast<float>(i);  // a name
    if (i % 10 == 1) set.at(i, kOpacityRow) = -7;   // opacity 0.0009
    floats[i] = i % 10 == 2;
    if (i % 2 == 0) set.errors()[i] = 0;
  }
  set.at(9, kMeanRow) = NAN;
  DensifyRules rules;
  rules.wanted = 60;
  Densify(rules, floats, 11, &set);
  EXPECT_EQ(set.count(), 60);
  std::vector<int> times(60);
  for (int64_t i = 0; i < set.count(); ++i) {
    ++times[static_cast<int>(std::lround(set.at(i, kColourRow)))];
    EXPECT_EQ(set.errors()[i], 0);
  }
  int split = 0;
  for (int i = 0; i < 60; ++i) {
    const bool gone = i % 10 == 1 || i % 10 == 2 || i == 9;
    EXPECT_EQ(times[i] > 0, !gone) << i;
    if (i % 2 == 0) {
      EXPECT_LE(times[i], 1) << i;
    }
    split += times[i] > 1;
  }
  EXPECT_EQ(split, 13);  // 60 less 12 less 1, and back to 60

  // At most half as many come, and none beyond the capacity.
  GaussianSet few = ManyGaussians(40, 100);
  rules.wanted = 1000;
  Densify(rules, {}, 11, &few);
  EXPECT_EQ(few.count(), 60);
  for (int64_t i = 0; i < 60; ++i) few.errors()[i] = 1;
  Densify(rules, {}, 12, &few);
  EXPECT_EQ(few.count(), 90);
  for (int64_t i = 0; i < 90; ++i) few.errors()[i] = 1;
  Densify(rules, {}, 13, &few);
  EXPECT_EQ(few.count(), few.capacity());
}

Camera OddCamera() {
  Camera camera;
  camera.width = 91;
  camera.height = 57;
  camera.fx = 80;
  camera.fy = 70;
  camera.cx = 43;
  camera.cy = 31;
  // OpenGL: right, up, back as columns, then the centre.
  const double c = std::cos(0.4), s = std::sin(0.4);
  camera.world_from_camera = {c, 0, s, 2, 0, 1, 0, -1, -s, 0, c, 5};
  return camera;
}

// What the camera sees of a point of the world, by OpenGL's axes.
std::array<double, 3> PixelOf(const Camera& camera,
                              const std::array<double, 3>& world) {
  const auto& m = camera.world_from_camera;
  double p[3];
  for (int k = 0; k < 3; ++k) {
    p[k] = 0;
    for (int r = 0; r < 3; ++r) {
      p[k] += m[4 * r + k] * (world[r] - m[4 * r + 3]);
    }
  }
  return {camera.cx - camera.fx * p[0] / p[2],
          camera.cy + camera.fy * p[1] / p[2],
          -p[2]};
}

TEST(SplatSpaceTest, ViewsSeeWhatTheCamerasSee) {
  SceneFrame frame = BallFrame();
  const SplatSpace space(frame);
  // Its origin is the frame's.
  for (int r = 0; r < 3; ++r) {
    const double* row = frame.normalised_from_world.data() + 4 * r;
    EXPECT_NEAR(row[0] * space.centre[0] + row[1] * space.centre[1] +
                    row[2] * space.centre[2] + row[3],
                0,
                1e-12);
  }
  const Camera camera = OddCamera();
  const PinholeView view = ViewOf(camera, space, 0.1);
  const PinholeView half = Halved(view);
  const PinholeView part = Cropped(view, 7, 5, 40, 30);
  EXPECT_EQ(half.width, 45);
  EXPECT_EQ(half.height, 28);
  EXPECT_EQ(part.width, 40);
  EXPECT_EQ(part.low_tangent, view.low_tangent);
  const std::array<double, 3> world = {1.1, -0.4, -1.3};
  const std::array<double, 3> expected = PixelOf(camera, world);
  const std::array<double, 3> p = space.FromWorld(world);
  double c[3];
  for (int r = 0; r < 3; ++r) {
    c[r] = view.translation[r];
    for (int k = 0; k < 3; ++k) c[r] += view.rotation[3 * r + k] * p[k];
  }
  EXPECT_NEAR(c[2], expected[2] * frame.scale, 1e-5);
  EXPECT_NEAR(view.fx * c[0] / c[2] + view.cx, expected[0], 1e-4);
  EXPECT_NEAR(view.fy * c[1] / c[2] + view.cy, expected[1], 1e-4);
  EXPECT_NEAR(half.fx * c[0] / c[2] + half.cx, expected[0] / 2, 1e-4);
  EXPECT_NEAR(half.fy * c[1] / c[2] + half.cy, expected[1] / 2, 1e-4);
  EXPECT_NEAR(part.fx * c[0] / c[2] + part.cx, expected[0] - 7, 1e-4);
  EXPECT_NEAR(part.fy * c[1] / c[2] + part.cy, expected[1] - 5, 1e-4);
  double at_centre[3];
  for (int r = 0; r < 3; ++r) {
    at_centre[r] = view.translation[r];
    for (int k = 0; k < 3; ++k) {
      at_centre[r] += view.rotation[3 * r + k] * view.centre[k];
    }
    EXPECT_NEAR(at_centre[r], 0, 1e-5);
  }
}

// Straight views along z from different distances.
PinholeView Straight(float z, float fx = 100, float fy = 80) {
  PinholeView view;
  view.translation = {0, 0, -z};
  view.centre = {0, 0, z};
  view.fx = fx;
  view.fy = fy;
  view.cx = 30;
  view.cy = 20;
  view.width = 60;
  view.height = 40;
  view.near = 0.2f;
  return view;
}

// A fifth of the square of the smallest pixel that shows it.
TEST(SurveyTest, SmoothingIsThatOfTheFinestView) {
  AtEverySimdLevel([] {
    GaussianSet set(0, 48);
    set.Add({{0, 0, 4}, {}, 0.1f, 0.5f});      // in both
    set.Add({{1.7f, 0, 4}, {}, 0.1f, 0.5f});   // in the far one alone
    set.Add({{1.25f, 0, 4}, {}, 0.1f, 0.5f});  // a little beyond the near one
    set.Add({{40, 0, 4}, {}, 0.1f, 0.5f});     // in neither
    set.Add({{0, 0, -9}, {}, 0.1f, 0.5f});     // behind both
    MeasureSmoothing(
        set.gaussians(), {Straight(0), Straight(-2)}, 2, set.smoothing());
    const double near = 4 / 100.0, far = 6 / 100.0;
    EXPECT_NEAR(set.smoothing()[0], 0.2 * near * near, 1e-7);
    EXPECT_NEAR(set.smoothing()[1], 0.2 * far * far, 1e-7);
    EXPECT_NEAR(set.smoothing()[2], 0.2 * near * near, 1e-7);
    EXPECT_NEAR(set.smoothing()[3], 0.2 * near * near, 1e-7);
    EXPECT_EQ(set.smoothing()[4], 0);
  });
}

TEST(SurveyTest, FloatersStandInFrontInManyViews) {
  AtEverySimdLevel([] {
    // A wall at z = 4; the last column of cells is unknown.
    constexpr int kWidth = 15, kHeight = 10;
    const std::vector<float> zs = {0, 0.5f, -0.5f, 1, -1, 0.2f};
    std::vector<std::vector<float>> maps;
    std::vector<KnownSurface> surfaces;
    for (const float z : zs) {
      maps.emplace_back(kWidth * kHeight, 1 / (4 - z));
      for (int row = 0; row < kHeight; ++row) {
        maps.back()[row * kWidth + kWidth - 1] = 0;
      }
    }
    for (size_t i = 0; i < zs.size(); ++i) {
      surfaces.push_back({Straight(zs[i]), 4, kWidth, kHeight, maps[i].data()});
    }
    GaussianSet set(0, 48);
    set.Add({{0, 0, 2.5f}, {}, 0.1f, 0.5f});     // before the wall
    set.Add({{0, 0, 3.8f}, {}, 0.1f, 0.5f});     // on it
    set.Add({{0, 0, 6}, {}, 0.1f, 0.5f});        // behind
    set.Add({{0, 0, -3}, {}, 0.1f, 0.5f});       // behind the cameras
    set.Add({{0.7f, 0, 2.5f}, {}, 0.1f, 0.5f});  // known of in few views
    const auto floats = [&](size_t views) {
      std::vector<uint8_t> found(set.count());
      FindFloaters(
          set.gaussians(),
          {surfaces.begin(), surfaces.begin() + static_cast<int64_t>(views)},
          {},
          2,
          found.data());
      return found;
    };
    EXPECT_EQ(floats(6), (std::vector<uint8_t>{1, 0, 0, 0, 0}));
    EXPECT_EQ(floats(3), (std::vector<uint8_t>{0, 0, 0, 0, 0}));
  });
}

// Most of the first gaussians are where the balls are, whatever the views know
// of points.
TEST(GuessTest, FirstGaussiansAreOnTheSurfaces) {
  at::set_num_threads(1);
  Dataset dataset = BallDataset();
  const SceneFrame frame = BallFrame();
  const SplatSpace space(frame);
  const FirstGuess guess = GuessScene(dataset, frame, space, 300, 5, 2);
  ASSERT_GT(guess.gaussians.size(), 100);
  ASSERT_LE(guess.gaussians.size(), 300);
  ASSERT_EQ(guess.surfaces.inverse_depths.size(), dataset.train.size());
  int near = 0;
  for (const NewGaussian& gaussian : guess.gaussians) {
    double least = 1e9;
    for (const auto& ball : kBalls) {
      const std::array<double, 3> centre =
          space.FromWorld({ball[0], ball[1], ball[2]});
      double square = 0;
      for (int k = 0; k < 3; ++k) {
        square += std::pow(gaussian.mean[k] - centre[k], 2);
      }
      least =
          std::min(least, std::abs(std::sqrt(square) - ball[3] * space.scale));
    }
    near += least < 0.12;
  }
  EXPECT_GT(near, 0.6 * static_cast<double>(guess.gaussians.size()));
  // A function of its arguments.
  const FirstGuess again = GuessScene(dataset, frame, space, 300, 5, 1);
  ASSERT_EQ(again.gaussians.size(), guess.gaussians.size());
  for (size_t i = 0; i < guess.gaussians.size(); ++i) {
    ASSERT_EQ(again.gaussians[i].mean, guess.gaussians[i].mean);
  }
}

}  // namespace
}  // namespace nerfpipe::nerf::splat
