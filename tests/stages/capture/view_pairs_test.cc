// What is foretold of two views, where the truth is known.

#include "stages/capture/view_pairs.h"

#include "stages/capture/compared_views.h"
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

// In parts of the longer side, from the middle of the picture.
constexpr double kFocal = 0.83;
constexpr Matrix kLens = {kFocal, 0, 0, 0, kFocal, 0, 0, 0, 1};
constexpr Matrix kLensBack = {1 / kFocal, 0, 0, 0, 1 / kFocal, 0, 0, 0, 1};

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
      {Seen(Turn(0.2, 0.03)), Seen(Turn(-0.15, 0.1)), Seen(Turn(0.3, -0.05))}));
  // Of most pairs; the others may be anything.
  EXPECT_TRUE(AreRotations(
      {Seen(Turn(0.2, 0.03)), Seen(Turn(-0.15, 0.1)), Step(0.3, 0.2, 1)}));
}

TEST(AreRotations, ShiftsAlongAWallAreNot) {
  EXPECT_FALSE(AreRotations(
      {Step(0.2, 0.1, 1), Step(-0.25, 0.3, 1), Step(0.3, 0.2, 1)}));
  EXPECT_FALSE(AreRotations(
      {Seen(Turn(0.2, 0)), Step(-0.25, 0.3, 1), Step(0.3, 0.2, 1)}));
  EXPECT_FALSE(AreRotations({}));
  EXPECT_FALSE(AreRotations({Matrix{}}));
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
  // Places of the first view to those of the second.
  const double scale = pair.homography[8];
  EXPECT_NEAR(pair.homography[0] / scale, 1, 0.01);
  EXPECT_NEAR(pair.homography[2] / scale, -32 / 480.0, 0.002);
  EXPECT_NEAR(pair.homography[5] / scale, -15 / 480.0, 0.002);
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

// The wall as a camera sees it that turned and moved: `seen` takes places of
// the view that looks straight at it to places of this one.
Matrix Inverse(const Matrix& m) {
  const double determinant = m[0] * (m[4] * m[8] - m[5] * m[7]) -
                             m[1] * (m[3] * m[8] - m[5] * m[6]) +
                             m[2] * (m[3] * m[7] - m[4] * m[6]);
  Matrix inverse = {m[4] * m[8] - m[5] * m[7],
                    m[2] * m[7] - m[1] * m[8],
                    m[1] * m[5] - m[2] * m[4],
                    m[5] * m[6] - m[3] * m[8],
                    m[0] * m[8] - m[2] * m[6],
                    m[2] * m[3] - m[0] * m[5],
                    m[3] * m[7] - m[4] * m[6],
                    m[1] * m[6] - m[0] * m[7],
                    m[0] * m[4] - m[1] * m[3]};
  for (double& value : inverse) value /= determinant;
  return inverse;
}

std::array<double, 2> Apply(const Matrix& m, double x, double y) {
  const double w = m[6] * x + m[7] * y + m[8];
  return {(m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w};
}

constexpr int kWidth = 480;
constexpr int kHeight = 330;

double Wallpaper(const Wall& wall,
                 const Matrix& straight_from_seen,
                 int x,
                 int y) {
  const auto [u, v] = Apply(straight_from_seen,
                            (x + 0.5 - kWidth / 2) / kWidth,
                            (y + 0.5 - kHeight / 2) / kWidth);
  return wall.At(kWidth * u + 240, kWidth * v + 165);
}

ViewPoints Seeing(const Wall& wall, const Matrix& seen) {
  const Matrix back = Inverse(seen);
  return Points(kWidth, kHeight, [&](int x, int y) {
    return Wallpaper(wall, back, x, y);
  });
}

// Of a wall at distance 1, straight before the first camera: turned after a
// step to (x, y, z).
Matrix From(double x, double y, double z, const Matrix& turn) {
  return Seen(Times(turn, {1, 0, -x, 0, 1, -y, 0, 0, 1 - z}));
}

TEST_F(CompareWalls, TheHomographyIsThatOfTheCameras) {
  const Matrix first = From(0.05, -0.02, 0, Turn(0.04, 0.02));
  const Matrix second = From(-0.11, 0.06, 0.08, Turn(-0.1, -0.05));
  const ViewPair pair = CompareViews(Seeing(far_, first), Seeing(far_, second));
  EXPECT_GT(pair.planar, 0.95);
  const Matrix truth = Times(second, Inverse(first));
  for (const double x : {-0.45, 0.4}) {
    for (const double y : {-0.3, 0.25}) {
      const auto [u, v] = Apply(truth, x, y);
      const auto [found_u, found_v] = Apply(pair.homography, x, y);
      EXPECT_NEAR(found_u, u, 1.2 / kWidth) << x << " " << y;
      EXPECT_NEAR(found_v, v, 1.2 / kWidth) << x << " " << y;
    }
  }
}

std::string Movement(const std::vector<ViewPoints>& views, bool photos) {
  CaptureFile capture;
  capture.kind = photos ? "photos" : "video";
  for (size_t i = 0; i < views.size(); ++i) {
    capture.frames.emplace_back().name = std::to_string(i);
  }
  const std::vector<std::string> clips(photos ? 0 : views.size());
  const Verdict verdict =
      ReportCard(capture, CompareCapture(views, clips, 2), {}).at(5);
  EXPECT_EQ(verdict.item, "movement");
  return verdict.finding;
}

TEST_F(CompareWalls, AFlatThingIsSeenFromAllSides) {
  // Neighbours differ by little, and all of them lie on one plane.
  std::vector<ViewPoints> moved;
  std::vector<ViewPoints> turned;
  for (int i = 0; i < 14; ++i) {
    const double a = 0.07 * (i - 6.3);
    moved.push_back(Seeing(
        far_, From(1.4 * a, 0.3 * a * a, 0.2 * a, Turn(1.2 * a, 0.1 * a))));
    turned.push_back(Seeing(far_, From(0, 0, 0, Turn(0.5 * a, 0.05 * i * a))));
  }
  for (const bool photos : {true, false}) {
    EXPECT_EQ(Movement(moved, photos),
              "the camera moves through a scene that stands still")
        << photos;
    EXPECT_EQ(Movement(turned, photos), "the camera turns on the spot")
        << photos;
  }
}

TEST_F(CompareWalls, ASlowWalkIsLookedAtFromFurtherApart) {
  // Less than a fiftieth of the width in ten frames.
  std::vector<ViewPoints> views;
  for (int i = 0; i < 24; ++i) views.push_back(Shifted(0.75 * i, 0.2 * i));
  for (const bool photos : {true, false}) {
    EXPECT_EQ(Movement(views, photos),
              "the camera moves through a scene that stands still");
  }
  EXPECT_EQ(Movement(std::vector<ViewPoints>(24, views[0]), false),
            "no movement of the camera can be measured");
}

TEST_F(CompareWalls, ASlowTurnIsLookedAtFromFurtherApart) {
  // Round a room, so far that its end does not see its beginning.
  const auto view = [&](double yaw) {
    return Points(300, 210, [&, yaw](int x, int y) {
      const double right = (x - 149.5) / 300 / kFocal;
      const double down = (y - 104.5) / 300 / kFocal;
      return far_.At(250 * (yaw + std::atan(right)) + 400,
                     250 * down / std::hypot(1, right) + 130);
    });
  };
  std::vector<ViewPoints> views;
  for (int i = 0; i < 110; ++i) views.push_back(view(0.02 * i));
  EXPECT_EQ(Movement(views, false), "the camera turns on the spot");
}

TEST_F(CompareWalls, PicturesOfOtherSizesLieMiddleOnMiddle) {
  // The middle of the same picture, at the same scale.
  const auto cut = [&](int width, int height, double dx) {
    return Points(width, height, [&](int x, int y) {
      return far_.At(x + 240 - width / 2 + dx, y + 160 - height / 2);
    });
  };
  const ViewPoints whole = cut(480, 320, 0);
  // Seen 480 / 400 times larger, as a share of the longer side.
  const ViewPair pair = CompareViews(whole, cut(400, 300, 36));
  EXPECT_GT(pair.matches, 100);
  const double scale = pair.homography[8];
  EXPECT_NEAR(pair.homography[0] / scale, 480 / 400.0, 0.01);
  EXPECT_NEAR(pair.homography[2] / scale, -36 / 400.0, 0.003);
  EXPECT_LT(CompareViews(whole, cut(400, 300, 0)).shift, 0.08);
}

// The wall under another light: its sRGB values, by channel.
ViewPoints Lit(const Wall& wall,
               double step,
               const std::array<double, 3>& gains,
               const Image& mask = {}) {
  Image image(kWidth, kHeight, 3);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      // Colours of the wall, none of them black.
      const double value = 0.15 + 0.5 * wall.At(x + step, y) / 255;
      const double light = std::pow((value + 0.055) / 1.055, 2.4);
      for (size_t c = 0; c < 3; ++c) {
        // What is beside the mask is under a light of its own.
        const bool beside = !mask.pixels.empty() && *mask.At(x, y) == 0;
        const double seen = (beside ? 0.2 : gains[c]) * light;
        image.At(x, y)[c] = static_cast<uint8_t>(std::clamp(
            255 * (1.055 * std::pow(seen, 1 / 2.4) - 0.055) + 0.5, 0.0, 255.0));
      }
    }
  }
  return FindViewPoints(image, mask);
}

TEST_F(CompareWalls, LightIsThatOfTheSamePlaces) {
  const ViewPoints a = Lit(far_, 0, {1, 1, 1});
  EXPECT_EQ(a.light.size(), a.places.size());
  const ViewPair pair = CompareViews(a, Lit(far_, 21, {0.5, 0.25, 0.75}));
  EXPECT_GT(pair.lit, 60);
  EXPECT_NEAR(pair.light.exposure, -2, 0.05);
  EXPECT_NEAR(pair.light.red, 1, 0.05);
  EXPECT_NEAR(pair.light.blue, std::log2(3), 0.05);
  // What is burnt out says nothing, rather than too little.
  const ViewPair burnt = CompareViews(a, Lit(far_, 21, {3, 3, 3}));
  EXPECT_LT(burnt.lit, burnt.matches);
  EXPECT_NEAR(burnt.light.exposure, std::log2(3), 0.08);
}

TEST_F(CompareWalls, OnlyWhatTheMaskShowsIsLookedAt) {
  Image mask(kWidth, kHeight, 1);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < 190; ++x) *mask.At(x, y) = 255;
  }
  const ViewPoints half = Lit(far_, 9, {0.8, 0.8, 0.8}, mask);
  for (const auto& [x, y] : half.places) EXPECT_LT(x, 191);
  const ViewPair pair = CompareViews(Lit(far_, 0, {1, 1, 1}), half);
  EXPECT_GT(pair.lit, 30);
  EXPECT_NEAR(pair.light.exposure, std::log2(0.8), 0.05);
}

TEST_F(CompareWalls, PhotosAreTiedToThoseThatLookAlike) {
  // Of two walls by turns, in no order.
  std::vector<ViewPoints> views;
  for (const double step : {90.0, 0.0, 45.0}) {
    views.push_back(Shifted(step, 0));
    views.push_back(
        Points(480, 330, [&](int x, int y) { return near_.At(x, y + step); }));
  }
  const auto pairs = CompareCapture(views, /*clips=*/{}, 2);
  size_t tied = 0;
  size_t far = 0;
  for (const auto& pair : pairs) {
    ASSERT_LT(pair.first, pair.second);
    const bool same_wall = pair.first % 2 == pair.second % 2;
    EXPECT_EQ(pair.common.matches >= 18, same_wall)
        << pair.first << " " << pair.second;
    tied += same_wall && !pair.far;
    far += pair.far;
  }
  // Two ties hold three views; a third tells no more than how far they moved.
  EXPECT_EQ(tied, 4u);
  EXPECT_EQ(far, 2u);
  CaptureFile capture;
  capture.kind = "photos";
  for (int i = 0; i < 6; ++i) {
    capture.frames.emplace_back().name = std::to_string(i);
  }
  const std::vector<Verdict> card = ReportCard(capture, pairs, {});
  EXPECT_EQ(card[4].finding,
            "3 of 6 views share little with the others; the capture falls into "
            "2 parts");
}

TEST_F(CompareWalls, ClipsAreComparedWithEachOther) {
  // Two clips of one wall, from another end, and one of another wall: their
  // neighbours in the list are none in time.
  std::vector<ViewPoints> views;
  std::vector<std::string> clips;
  for (int i = 0; i < 6; ++i) {
    views.push_back(Shifted(8 * i, 0));
    clips.push_back("b.mp4");
  }
  for (int i = 0; i < 6; ++i) {
    views.push_back(Shifted(90 - 8 * i, 3 * i));
    clips.push_back("a.mp4");
  }
  for (int i = 0; i < 3; ++i) {
    views.push_back(
        Points(480, 330, [&](int x, int y) { return near_.At(x + 9 * i, y); }));
    clips.push_back("c.mp4");
  }
  const auto pairs = CompareCapture(views, clips, 2);
  const auto parts = Parts(views.size(), pairs);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].size(), 12u);
  EXPECT_EQ(parts[1], (std::vector<size_t>{12, 13, 14}));
}

}  // namespace
}  // namespace nerfpipe
