// What is foretold of two views, where the truth is known.

#include "stages/capture/view_pairs.h"

#include "stages/capture/report_card.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using Matrix = std::array<double, 9>;

Matrix Times(const Matrix& a, const Matrix& b) {
  Matrix c = {};
  for (size_t i = 0; i < 9; ++i) {
    for (size_t k = 0; k < 3; ++k) c[i] += a[i / 3 * 3 + k] * b[3 * k + i % 3];
  }
  return c;
}

constexpr double kFocal = 530;
constexpr Matrix kLens = {kFocal, 0, 320, 0, kFocal, 180, 0, 0, 1};
constexpr Matrix kLensBack = {
    1 / kFocal, 0, -320 / kFocal, 0, 1 / kFocal, -180 / kFocal, 0, 0, 1};

// Turned about an upright and a level axis.
Matrix Turn(double yaw, double pitch) {
  return Times({std::cos(yaw),
                0,
                std::sin(yaw),
                0,
                1,
                0,
                -std::sin(yaw),
                0,
                std::cos(yaw)},
               {1,
                0,
                0,
                0,
                std::cos(pitch),
                -std::sin(pitch),
                0,
                std::sin(pitch),
                std::cos(pitch)});
}

Matrix Seen(const Matrix& world) {
  Matrix seen = Times(Times(kLens, world), kLensBack);
  for (double& value : seen) value *= 1.7;  // homographies have no scale
  return seen;
}

// A wall at distance 1 whose normal is (x, 0, z), seen from a step aside.
Matrix Step(double step, double x, double z) {
  return Seen({1 + step * x, 0, step * z, 0, 1, 0, 0, 0, 1});
}

TEST(AreRotations, OfOneLensAre) {
  EXPECT_TRUE(AreRotations(
      {Seen(Turn(0.2, 0.03)), Seen(Turn(-0.15, 0.1)), Seen(Turn(0.3, -0.05))},
      640,
      360));
  // Of most pairs; the others may be anything.
  EXPECT_TRUE(AreRotations(
      {Seen(Turn(0.2, 0.03)), Seen(Turn(-0.15, 0.1)), Step(0.3, 0.2, 1)},
      640,
      360));
}

TEST(AreRotations, ShiftsAlongAWallAreNot) {
  EXPECT_FALSE(AreRotations(
      {Step(0.2, 0.1, 1), Step(-0.25, 0.3, 1), Step(0.3, 0.2, 1)}, 640, 360));
  EXPECT_FALSE(AreRotations(
      {Seen(Turn(0.2, 0)), Step(-0.25, 0.3, 1), Step(0.3, 0.2, 1)}, 640, 360));
  EXPECT_FALSE(AreRotations({}, 640, 360));
  EXPECT_FALSE(AreRotations({Matrix{}}, 640, 360));
}

// Noise as coarse as corners are, that shows the same at the same place.
class Wall {
 public:
  explicit Wall(uint32_t seed) : cells_(kSide * kSide) {
    std::mt19937 random(seed);
    for (double& cell : cells_) cell = static_cast<double>(random() % 256);
  }
  double At(double x, double y) const {
    constexpr double kCell = 6;
    const double u = x / kCell + 50;
    const double v = y / kCell + 50;
    const auto column = static_cast<size_t>(u);
    const auto row = static_cast<size_t>(v);
    const double s = u - std::floor(u);
    const double t = v - std::floor(v);
    const auto cell = [&](size_t i, size_t j) {
      return cells_.at((row + j) * kSide + column + i);
    };
    return (1 - t) * ((1 - s) * cell(0, 0) + s * cell(1, 0)) +
           t * ((1 - s) * cell(0, 1) + s * cell(1, 1));
  }

 private:
  static constexpr size_t kSide = 400;
  std::vector<double> cells_;
};

// What is seen at a pixel.
using Scene = std::function<double(int, int)>;

ViewPoints Points(int width, int height, const Scene& scene) {
  Image gray(width, height, 1);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      *gray.At(x, y) =
          static_cast<uint8_t>(std::clamp(scene(x, y), 0.0, 255.0));
    }
  }
  return FindViewPoints(gray);
}

TEST(FindViewPoints, SearchesAt640Pixels) {
  const Wall wall(3);
  const ViewPoints large =
      Points(960, 540, [&](int x, int y) { return wall.At(x / 1.5, y / 1.5); });
  EXPECT_EQ(large.width, 640);
  EXPECT_EQ(large.height, 360);
  EXPECT_GT(large.places.size(), 500u);
  EXPECT_LE(large.places.size(), 1000u);
  EXPECT_EQ(large.descriptors.size(), 32 * large.places.size());
  float most_x = 0;
  float most_y = 0;
  for (const auto& [x, y] : large.places) {
    most_x = std::max(most_x, x);
    most_y = std::max(most_y, y);
  }
  EXPECT_LT(most_x, 640);
  EXPECT_GT(most_x, 560);
  EXPECT_LT(most_y, 360);
  EXPECT_GT(most_y, 290);
  const ViewPoints stands =
      Points(300, 400, [&](int x, int y) { return wall.At(x, y); });
  EXPECT_EQ(stands.width, 300);
  EXPECT_EQ(stands.height, 400);
  EXPECT_TRUE(Points(640, 63, [&](int x, int y) {
                return wall.At(x, y);
              }).places.empty());
  EXPECT_FALSE(Points(640, 64, [&](int x, int y) {
                 return wall.At(x, y);
               }).places.empty());
}

class CompareWalls : public ::testing::Test {
 protected:
  ViewPoints Shifted(double dx, double dy) const {
    return Points(
        480, 330, [&](int x, int y) { return far_.At(x + dx, y + dy); });
  }
  Wall far_{5};
  Wall near_{8};
};

TEST_F(CompareWalls, TellHowFarAndThatAllIsOnOnePlane) {
  const ViewPoints a = Shifted(0, 0);
  const ViewPair pair = CompareViews(a, Shifted(32, 15));
  EXPECT_GT(pair.matches, 150);
  EXPECT_NEAR(pair.shift, std::hypot(32, 15) / 480, 0.002);
  EXPECT_GT(pair.planar, 0.97);
  EXPECT_EQ(pair.still, 0);
  // Pixels of the first view to those of the second.
  const double scale = pair.homography[8];
  EXPECT_NEAR(pair.homography[0] / scale, 1, 0.01);
  EXPECT_NEAR(pair.homography[2] / scale, -32, 1);
  EXPECT_NEAR(pair.homography[5] / scale, -15, 1);
  EXPECT_GT(CountAlike(a, Shifted(32, 15)), 60);
}

TEST_F(CompareWalls, OtherPlacesHaveNothingInCommon) {
  const ViewPoints a = Shifted(0, 0);
  const ViewPoints other =
      Points(480, 330, [&](int x, int y) { return near_.At(x, y); });
  EXPECT_LT(CompareViews(a, other).matches, 18);
  EXPECT_LT(CountAlike(a, other), 12);
  EXPECT_EQ(CompareViews(a, ViewPoints()).matches, 0);
  EXPECT_EQ(CountAlike(ViewPoints(), a), 0);
}

TEST_F(CompareWalls, DepthIsNoPlane) {
  // A sideways step: what is near moves thrice as far, in stripes.
  const auto view = [&](double step) {
    return Points(480, 330, [&, step](int x, int y) {
      return y / 55 % 2 == 0 ? far_.At(x + step, y) : near_.At(x + 3 * step, y);
    });
  };
  const ViewPair pair = CompareViews(view(0), view(12));
  EXPECT_GT(pair.matches, 100);
  EXPECT_LT(pair.planar, 0.7);
  EXPECT_GT(pair.planar, 0.3);
  EXPECT_EQ(pair.still, 0);
}

TEST_F(CompareWalls, ATurntableBeforeAStillWallIsSeen) {
  // The middle third moves, the rest does not.
  const auto view = [&](double step) {
    return Points(480, 330, [&, step](int x, int y) {
      const bool subject = x >= 160 && x < 320;
      return subject ? near_.At(x + step, y) : far_.At(x, y);
    });
  };
  const ViewPair pair = CompareViews(view(0), view(9));
  EXPECT_GT(pair.still, 0.5);
  EXPECT_LT(pair.still, 0.9);
  // Where nothing moves at all, nothing stands still against it.
  EXPECT_EQ(CompareViews(view(0), view(0)).still, 0);
}

TEST_F(CompareWalls, PhotosAreTiedToThoseThatLookAlike) {
  // Of two walls by turns, in no order.
  std::vector<ViewPoints> views;
  for (const double step : {90.0, 0.0, 45.0}) {
    views.push_back(Shifted(step, 0));
    views.push_back(
        Points(480, 330, [&](int x, int y) { return near_.At(x, y + step); }));
  }
  const auto pairs = CompareCapture(views, /*video=*/false, 2);
  size_t tied = 0;
  for (const auto& pair : pairs) {
    ASSERT_LT(pair.first, pair.second);
    const bool same_wall = pair.first % 2 == pair.second % 2;
    EXPECT_EQ(pair.common.matches >= 18, same_wall)
        << pair.first << " " << pair.second;
    tied += same_wall;
  }
  // Two ties hold three views; a third would say nothing new.
  EXPECT_EQ(tied, 4u);
  CaptureFile capture;
  capture.kind = "photos";
  for (int i = 0; i < 6; ++i) {
    capture.frames.emplace_back().name = std::to_string(i);
  }
  const std::vector<Verdict> card = ReportCard(capture, {pairs, 480, 330}, {});
  EXPECT_EQ(card[4].finding,
            "3 of 6 views share little with the rest, which falls into 2 "
            "parts");
}

}  // namespace
}  // namespace nerfpipe
