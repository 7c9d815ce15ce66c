// Depth bounds of rows whose depths are given, and of the irregular scene.

#include "stages/llff/depth_bounds.h"

#include "pipeline/base/error.h"
#include "tests/stages/llff/llff_scene.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

// A model whose images look along z from the origin; those named in its track
// see each point.
class Depths {
 public:
  explicit Depths(int images = 3) {
    model_.cameras[4] = {1, 53, 37, {50, 50, 26.5, 18.5}};
    for (int i = 0; i < images; ++i) {
      ColmapImage& image = model_.images[static_cast<uint32_t>(90 - 3 * i)];
      image.name = std::string(1, static_cast<char>('a' + i));
      image.camera_id = 4;
      image.observations.resize(1);
    }
  }

  // Seen by the first `views` images.
  Depths& Add(double depth, int views = 3, double error = 0.5) {
    ColmapPoint& point = model_.points[1 + 2 * model_.points.size()];
    point.xyz = {0.1, -0.2, depth};
    point.error = error;
    for (int i = 0; i < views; ++i) {
      point.track.push_back({static_cast<uint32_t>(90 - 3 * i), 0});
    }
    return *this;
  }

  // `count` depths from `from` on, `step` apart.
  Depths& AddMany(int count, double from, double step, int views = 3) {
    for (int i = 0; i < count; ++i) Add(from + step * i, views);
    return *this;
  }

  const ColmapModel& model() const { return model_; }
  RobustBounds Robust() const { return RobustLlffBounds(model_); }

 private:
  ColmapModel model_;
};

// numpy.percentile([from, from + step, ...], percent).
double EvenPercentile(int count, double from, double step, double percent) {
  return from + step * (count - 1) * percent / 100;
}

void ExpectRow(const DepthBounds& row, double near, double far) {
  EXPECT_NEAR(row.near, near, 1e-12);
  EXPECT_NEAR(row.far, far, 1e-12);
}

TEST(RobustBounds, AStrayFarPointIsLeftOut) {
  const RobustBounds bounds = Depths().AddMany(30, 2, 0.05).Add(50).Robust();
  ExpectRow(bounds.rows[1],
            EvenPercentile(30, 2, 0.05, 0.1),
            EvenPercentile(30, 2, 0.05, 99.9));
  EXPECT_EQ(bounds.isolated, 3);  // one in each row
  EXPECT_EQ(bounds.behind + bounds.unreliable, 0);
}

TEST(RobustBounds, AStrayNearPointIsLeftOut) {
  const RobustBounds bounds = Depths().AddMany(30, 2, 0.05).Add(0.01).Robust();
  ExpectRow(bounds.rows[1],
            EvenPercentile(30, 2, 0.05, 0.1),
            EvenPercentile(30, 2, 0.05, 99.9));
  EXPECT_EQ(bounds.isolated, 3);
  EXPECT_EQ(bounds.clamped_rows, 0);
}

TEST(RobustBounds, StraysAtBothEndsAreLeftOut) {
  const RobustBounds bounds =
      Depths().AddMany(30, 2, 0.05).Add(0.01).Add(50).Robust();
  ExpectRow(bounds.rows[2],
            EvenPercentile(30, 2, 0.05, 0.1),
            EvenPercentile(30, 2, 0.05, 99.9));
  EXPECT_EQ(bounds.isolated, 6);
}

// One in a hundred may be strays, and one of any number.
TEST(RobustBounds, MoreThanOneInAHundredAreAPartOfTheScene) {
  const RobustBounds two_of_many =
      Depths(1).AddMany(198, 2, 0.01, 1).Add(50, 1).Add(51, 1).Robust();
  ExpectRow(two_of_many.rows[0],
            EvenPercentile(198, 2, 0.01, 0.1),
            EvenPercentile(198, 2, 0.01, 99.9));
  EXPECT_EQ(two_of_many.isolated, 2);

  const RobustBounds two_of_few =
      Depths(1).AddMany(188, 2, 0.01, 1).Add(50, 1).Add(51, 1).Robust();
  EXPECT_GT(two_of_few.rows[0].far, 50);
  EXPECT_EQ(two_of_few.isolated, 0);
}

TEST(RobustBounds, AGapIsMoreThanTwiceTheDepth) {
  // The last of the others is at 4.
  EXPECT_EQ(Depths(1).AddMany(21, 3, 0.05, 1).Add(8, 1).Robust().isolated, 0);
  EXPECT_EQ(Depths(1).AddMany(21, 3, 0.05, 1).Add(8.1, 1).Robust().isolated, 1);
  EXPECT_EQ(Depths(1).AddMany(21, 3, 0.05, 1).Add(1.5, 1).Robust().isolated, 0);
  EXPECT_EQ(Depths(1).AddMany(21, 3, 0.05, 1).Add(1.4, 1).Robust().isolated, 1);
}

TEST(RobustBounds, ShortListsHaveNoStrays) {
  EXPECT_EQ(Depths(1).AddMany(18, 2, 0.05, 1).Add(50, 1).Robust().isolated, 0);
  EXPECT_EQ(Depths(1).AddMany(19, 2, 0.05, 1).Add(50, 1).Robust().isolated, 1);
}

TEST(RobustBounds, PointsBehindACameraAreLeftOut) {
  const RobustBounds bounds =
      Depths().AddMany(30, 2, 0.05).Add(-1).Add(0).Robust();
  ExpectRow(bounds.rows[0],
            EvenPercentile(30, 2, 0.05, 0.1),
            EvenPercentile(30, 2, 0.05, 99.9));
  EXPECT_EQ(bounds.behind, 6);
}

// A track of two views, or 2 px off: left out while the others are enough.
TEST(RobustBounds, UnreliablePointsAreLeftOut) {
  const auto with = [](int views, double error) {
    return Depths().AddMany(20, 2, 0.05).Add(3.5, views, error).Robust();
  };
  EXPECT_EQ(with(3, 2.0).unreliable, 0);
  EXPECT_GT(with(3, 2.0).rows[0].far, 3.4);
  EXPECT_EQ(with(3, 2.01).unreliable, 3);
  ExpectRow(with(3, 2.01).rows[0],
            EvenPercentile(20, 2, 0.05, 0.1),
            EvenPercentile(20, 2, 0.05, 99.9));
  EXPECT_EQ(with(2, 0.5).unreliable, 2);
  EXPECT_NEAR(
      with(2, 0.5).rows[1].far, EvenPercentile(20, 2, 0.05, 99.9), 1e-12);
}

TEST(RobustBounds, AnyPointCountsWhereReliableOnesAreFew) {
  const auto unreliable = [](int good, int bad) {
    return Depths()
        .AddMany(good, 2, 0.01)
        .AddMany(bad, 2.5, 0.01, 2)
        .Robust()
        .unreliable;
  };
  EXPECT_EQ(unreliable(20, 20), 2 * 20);
  EXPECT_EQ(unreliable(19, 5), 0);   // fewer than 20
  EXPECT_EQ(unreliable(20, 21), 0);  // less than half
}

TEST(RobustBounds, APointCountsOnceHoweverOftenItsTrackNamesAnImage) {
  ColmapModel model = Depths(1).AddMany(30, 2, 0.05, 1).model();
  for (auto& [id, point] : model.points) {
    for (int k = 0; k < 3; ++k) point.track.push_back(point.track[0]);
  }
  EXPECT_EQ(DepthStatisticsOf(model).count, 30);
  // Four times the same view make no reliable track.
  model.points.begin()->second.error = 9;
  EXPECT_EQ(RobustLlffBounds(model).unreliable, 0);
}

// Eight depths make bounds; seven take the medians of the other rows.
TEST(RobustBounds, RowsWithFewPointsBorrowTheMedians) {
  Depths depths(4);
  depths.AddMany(7, 2, 0.5, 4);  // seen by all
  depths.AddMany(1, 6, 0, 3);    // an eighth for three
  depths.AddMany(1, 9, 0, 2);
  depths.AddMany(1, 13, 0, 1);
  const RobustBounds bounds = depths.Robust();
  EXPECT_EQ(bounds.borrowed_rows, 1);
  EXPECT_NEAR(bounds.rows[0].far, 13 - 0.009 * 4, 1e-9);
  EXPECT_NEAR(bounds.rows[1].far, 9 - 0.008 * 3, 1e-9);
  EXPECT_NEAR(bounds.rows[2].far, 6 - 0.007 * 1, 1e-9);
  EXPECT_EQ(bounds.rows[3].far, bounds.rows[1].far);
  EXPECT_EQ(bounds.rows[3].near, bounds.rows[1].near);
}

TEST(RobustBounds, WithoutPointsThereIsAnAnswerInWords) {
  try {
    Depths(1).AddMany(7, 2, 1, 1).Robust();
    FAIL() << "bounds of seven points";
  } catch (const UserError& error) {
    EXPECT_STREQ(error.problem().c_str(),
                 "no image of the model sees 8 points in front of its camera");
  }
}

// One row near by, four at 10: a fifth of the median is 2.
TEST(RobustBounds, NearIsAtLeastAFifthOfTheMedian) {
  Depths depths(5);
  depths.AddMany(10, 10, 0, 5);
  depths.AddMany(10, 1, 0, 1);
  const RobustBounds bounds = depths.Robust();
  EXPECT_EQ(bounds.clamped_rows, 1);
  EXPECT_DOUBLE_EQ(bounds.rows[0].near, 2);
  EXPECT_DOUBLE_EQ(bounds.rows[0].far, 10);
  EXPECT_DOUBLE_EQ(bounds.rows[1].near, 10);
}

TEST(RobustBounds, ARaisedNearRaisesItsFarAsWell) {
  ColmapModel model = Depths(5).AddMany(10, 10, 0, 5).model();
  // All that the first image sees is at 1.
  Rigid3& pose = model.images.at(90).camera_from_world;
  pose.translation.z() = -9;
  const RobustBounds bounds = RobustLlffBounds(model);
  EXPECT_DOUBLE_EQ(bounds.rows[0].near, 2);
  EXPECT_DOUBLE_EQ(bounds.rows[0].far, 2);
}

TEST(RawBounds, LookAtAllPointsHoweverBad) {
  const std::vector<DepthBounds> rows =
      RawLlffBounds(Depths().AddMany(10, 2, 0.1).Add(-7, 2, 90).model());
  ExpectRow(rows[0], -7 + 0.01 * 9, 2.9 - 0.01 * 0.1);
  ExpectRow(rows[2],
            EvenPercentile(10, 2, 0.1, 0.1),
            EvenPercentile(10, 2, 0.1, 99.9));
  EXPECT_TRUE(std::isnan(RawLlffBounds(Depths(1).model())[0].near));
  EXPECT_TRUE(std::isnan(RawLlffBounds(Depths(1).model())[0].far));
}

// The stray point alone is left out; the camera far away keeps its bounds.
TEST(RobustBounds, OfTheIrregularSceneAreThoseWithoutItsStray) {
  const ColmapModel model = LlffModel();
  ColmapModel clean = model;
  const auto stray = std::prev(clean.points.end());
  const auto views = static_cast<int64_t>(stray->second.track.size());
  ASSERT_GE(views, 3);
  clean.points.erase(stray);
  const RobustBounds bounds = RobustLlffBounds(model);
  const std::vector<DepthBounds> expected = RawLlffBounds(clean);
  const std::vector<SceneCamera> cameras = LlffCameras();
  const std::vector<int> rows = LlffRows();
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(bounds.rows[i].near, expected[i].near);
    EXPECT_EQ(bounds.rows[i].far, expected[i].far);
    // By the scene itself, as numpy.percentile interpolates.
    std::vector<double> depths;
    for (const SceneVector& point : ScenePoints()) {
      depths.push_back(cameras[rows[i]].Project(point)[2]);
    }
    depths.pop_back();
    std::sort(depths.begin(), depths.end());
    const double inside = 0.001 * static_cast<double>(depths.size() - 1);
    const auto last = depths.rbegin();
    EXPECT_NEAR(bounds.rows[i].near,
                depths[0] + inside * (depths[1] - depths[0]),
                1e-9);
    EXPECT_NEAR(
        bounds.rows[i].far, last[0] - inside * (last[0] - last[1]), 1e-9);
    EXPECT_EQ(rows[i] == kFarAwayView, bounds.rows[i].near > 15);
  }
  EXPECT_EQ(bounds.isolated, views);
  EXPECT_EQ(bounds.behind + bounds.unreliable, 0);
  EXPECT_EQ(bounds.clamped_rows + bounds.borrowed_rows, 0);
}

TEST(DepthStatistics, AreOverAllViews) {
  const DepthStatistics statistics =
      DepthStatisticsOf(Depths().Add(2, 1).Add(5, 2).Add(-1, 3).model());
  EXPECT_EQ(statistics.count, 6);
  EXPECT_DOUBLE_EQ(statistics.min, -1);
  EXPECT_DOUBLE_EQ(statistics.max, 5);
  EXPECT_DOUBLE_EQ(statistics.mean, (2 + 10 - 3) / 6.0);
  EXPECT_EQ(DepthStatisticsOf(Depths().model()).count, 0);
}

}  // namespace
}  // namespace nerfpipe
