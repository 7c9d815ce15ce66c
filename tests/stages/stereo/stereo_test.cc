// Depths of a slanted wall with a box before it, which are known exactly.

#include "stages/stereo/depth_check.h"
#include "stages/stereo/neighbours.h"
#include "stages/stereo/patch_match.h"
#include "tests/stages/nerf/kernels/simd_levels.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace nerfpipe::stereo {
namespace {

using nerf::kernels::AtEverySimdLevel;

// Distance along the ray o + t d to what it meets, and its grey there.
double Meet(const double o[3], const double d[3], double* grey) {
  // A wall z = 4 + 0.3 x - 0.2 y, and a square of z = 2.5 before it.
  double t =
      (4 + 0.3 * o[0] - 0.2 * o[1] - o[2]) / (d[2] - 0.3 * d[0] + 0.2 * d[1]);
  const double near = (2.5 - o[2]) / d[2];
  const double nx = o[0] + near * d[0], ny = o[1] + near * d[1];
  const bool front = nx > -0.6 && nx < 0.5 && ny > -0.4 && ny < 0.7;
  if (front) t = near;
  const double x = o[0] + t * d[0], y = o[1] + t * d[1];
  const double shift = front ? 1.7 : 0;
  *grey = 0.5 + 0.14 * std::sin(9 * x + 4 * y + shift) +
          0.13 * std::sin(13 * y - 7 * x + 2 * shift) +
          0.1 * std::sin(23 * x + 1 + shift) * std::sin(19 * y - shift);
  return t;
}

// From a place beside the middle, turned about the vertical axis.
View Photograph(double x, double y, double z, double turn) {
  View view;
  view.width = 131;
  view.height = 97;
  view.fx = 120;
  view.fy = 104;
  view.cx = 61.3f;
  view.cy = 50.9f;
  const double c = std::cos(turn), s = std::sin(turn);
  const double rotation[9] = {c, 0, s, 0, 1, 0, -s, 0, c};
  const double centre[3] = {x, y, z};
  for (int r = 0; r < 3; ++r) {
    double t = 0;
    for (int k = 0; k < 3; ++k) {
      view.rotation[3 * r + k] = static_cast<float>(rotation[3 * r + k]);
      t -= rotation[3 * r + k] * centre[k];
    }
    view.translation[r] = static_cast<float>(t);
  }
  std::vector<float> greys;
  for (int row = 0; row < view.height; ++row) {
    for (int column = 0; column < view.width; ++column) {
      const double u = (column + 0.5 - view.cx) / view.fx;
      const double v = (row + 0.5 - view.cy) / view.fy;
      double direction[3], grey;
      for (int k = 0; k < 3; ++k) {
        direction[k] = rotation[k] * u + rotation[3 + k] * v + rotation[6 + k];
      }
      Meet(centre, direction, &grey);
      greys.push_back(static_cast<float>(grey));
    }
  }
  view.SetPicture(greys.data());
  view.least_inverse_depth = 0.05f;
  view.most_inverse_depth = 0.7f;
  return view;
}

double TruthAt(const View& view, double x, double y) {
  const auto centre = view.Centre();
  const double o[3] = {centre[0], centre[1], centre[2]};
  const double c[3] = {(x - view.cx) / view.fx, (y - view.cy) / view.fy, 1};
  double d[3], grey;
  for (int k = 0; k < 3; ++k) {
    d[k] = view.rotation[k] * c[0] + view.rotation[3 + k] * c[1] +
           view.rotation[6 + k] * c[2];
  }
  return Meet(o, d, &grey);
}

std::vector<View> Photographs() {
  return {Photograph(0, 0, 0, 0),
          Photograph(0.35, 0.05, 0.1, 0.08),
          Photograph(-0.3, 0.1, -0.1, -0.05),
          Photograph(0.05, -0.32, 0.05, 0.02),
          Photograph(0.3, 0.3, -0.05, 0.1)};
}

std::vector<DepthMap> Match(const std::vector<View>& views,
                            const std::vector<std::vector<int>>& neighbours) {
  std::vector<DepthMap> maps;
  for (int i = 0; i < std::ssize(views); ++i) {
    maps.push_back(MatchPatches(views, i, neighbours[i], {}, 40 + i));
  }
  CheckDepths(views, neighbours, {}, 2, &maps);
  return maps;
}

TEST(PatchMatchTest, FindsTheDepthsOfAWallAndABox) {
  const std::vector<View> views = Photographs();
  const auto neighbours = ChooseNeighbours(views, 4, 1);
  AtEverySimdLevel([&] {
    const std::vector<DepthMap> maps = Match(views, neighbours);
    int sure = 0, right = 0, near = 0;
    for (size_t i = 0; i < views.size(); ++i) {
      const DepthMap& map = maps[i];
      ASSERT_EQ(map.width, 32);
      ASSERT_EQ(map.height, 24);
      for (size_t cell = 0; cell < map.size(); ++cell) {
        if (map.agreeing[cell] < 2) continue;
        ++sure;
        const double truth = TruthAt(views[i], map.x(cell), map.y(cell));
        right += std::abs(map.inverse_depth[cell] * truth - 1) < 0.01;
        near += truth < 3;
      }
    }
    // Most of it, some of which is the box; what agrees is right.
    EXPECT_GT(sure, 0.6 * 5 * 32 * 24);
    EXPECT_GT(near, 200);
    EXPECT_GT(right, 0.93 * sure);
  });
}

TEST(PatchMatchTest, WithoutNeighboursNothingIsKnown) {
  const std::vector<View> views = {Photograph(0, 0, 0, 0)};
  EXPECT_TRUE(ChooseNeighbours(views, 4, 1)[0].empty());
  const DepthMap map = MatchPatches(views, 0, {}, {}, 1);
  EXPECT_EQ(
      *std::max_element(map.inverse_depth.begin(), map.inverse_depth.end()), 0);
}

// Down to less than a cell, and with places of a patch at all borders: nothing
// beyond the picture is looked at.
TEST(PatchMatchTest, PicturesMayBeSmall) {
  constexpr int kSizes[][2] = {{1, 1}, {3, 9}, {5, 4}, {18, 7}};
  const std::vector<std::vector<int>> neighbours = {{1, 2}, {2, 0}, {0, 1}};
  for (const int(&size)[2] : kSizes) {
    const int width = size[0];
    const int height = size[1];
    std::vector<View> views;
    for (const View& whole : Photographs()) {
      if (views.size() == neighbours.size()) break;
      View part = whole;
      part.width = width;
      part.height = height;
      std::vector<float> greys;
      for (int pixel = 0; pixel < width * height; ++pixel) {
        const size_t at = pixel / width * whole.width + pixel % width;
        greys.push_back(static_cast<float>(whole.corners[at] & 0xff) / 255);
      }
      part.SetPicture(greys.data());
      part.corners.shrink_to_fit();
      views.push_back(std::move(part));
    }
    AtEverySimdLevel([&] {
      const std::vector<DepthMap> maps = Match(views, neighbours);
      for (size_t i = 0; i < views.size(); ++i) {
        ASSERT_EQ(maps[i].width, width / 4);
        ASSERT_EQ(maps[i].height, height / 4);
        const std::vector<float> filled = FillDepths(views[i], maps[i]);
        ASSERT_EQ(filled.size(), maps[i].size());
        for (const float inverse : filled) {
          EXPECT_GT(inverse, 0);
          EXPECT_LE(inverse, 1.5f * views[i].most_inverse_depth);
        }
      }
    });
  }
}

// Those with points in common, by the angle; a view that turns its back or
// stands in the same place is of no use.
TEST(NeighboursTest, AreThoseThatTellDepth) {
  std::vector<View> views = {Photograph(0, 0, 0, 0),
                             Photograph(0, 0, 0, 0.03),
                             Photograph(0.5, 0, 0, 0.1),
                             Photograph(3.5, 0, 0.5, 0.7),
                             Photograph(0, 0, 0, 3.1)};
  for (const bool with_points : {false, true}) {
    if (with_points) {
      for (size_t i = 0; i < 4; ++i) {
        for (int p = 0; p < 40; ++p) {
          const double x = -0.8 + 0.04 * p, y = 0.02 * (p % 7);
          const double z = 4 + 0.3 * x - 0.2 * y;
          const View& v = views[i];
          double c[3];
          for (int r = 0; r < 3; ++r) {
            c[r] = v.rotation[3 * r] * x + v.rotation[3 * r + 1] * y +
                   v.rotation[3 * r + 2] * z + v.translation[r];
          }
          views[i].sparse.push_back(
              {static_cast<float>(v.fx * c[0] / c[2] + v.cx),
               static_cast<float>(v.fy * c[1] / c[2] + v.cy),
               static_cast<float>(c[2]),
               p});
        }
      }
    }
    const auto chosen = ChooseNeighbours(views, 2, 2);
    ASSERT_FALSE(chosen[0].empty()) << with_points;
    EXPECT_EQ(chosen[0].front(), 2) << with_points;
    EXPECT_EQ(std::count(chosen[0].begin(), chosen[0].end(), 1), 0);
    EXPECT_EQ(std::count(chosen[0].begin(), chosen[0].end(), 4), 0);
  }
}

// Known cells stay, what lies between is between, and a point counts where
// nothing else is known.
TEST(FillDepthsTest, GoesFromWhatIsKnownToWhatIsNot) {
  View view = Photograph(0, 0, 0, 0);
  DepthMap map;
  map.width = 20;
  map.height = 12;
  map.inverse_depth.assign(240, 9);
  map.score.assign(240, 0);
  map.agreeing.assign(240, 0);
  for (int y = 0; y < 12; ++y) {
    for (const int x : {2, 15}) {
      map.inverse_depth[20 * y + x] = x == 2 ? 0.2f : 0.6f;
      map.agreeing[20 * y + x] = 1;
    }
  }
  std::vector<float> filled = FillDepths(view, map);
  ASSERT_EQ(filled.size(), 240);
  EXPECT_NEAR(filled[20 * 6 + 2], 0.2, 0.03);
  EXPECT_NEAR(filled[20 * 6 + 15], 0.6, 0.03);
  EXPECT_GT(filled[20 * 6 + 9], 0.25);
  EXPECT_LT(filled[20 * 6 + 9], 0.55);
  EXPECT_LT(*std::max_element(filled.begin(), filled.end()), 0.61);
  const float before = filled[20 * 3 + 19];
  view.sparse.push_back({79, 14, 4, 0});  // of cell (19, 3)
  filled = FillDepths(view, map);
  EXPECT_NEAR(filled[20 * 3 + 19], 0.25, 0.06);
  EXPECT_GT(before, 0.4);

  map.agreeing.assign(240, 0);
  view.sparse.clear();
  filled = FillDepths(view, map);
  EXPECT_NEAR(*std::max_element(filled.begin(), filled.end()), 0.05, 1e-6);
}

}  // namespace
}  // namespace nerfpipe::stereo
