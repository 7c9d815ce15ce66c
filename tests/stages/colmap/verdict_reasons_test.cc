// What the stage says, reason by reason.

#include "stages/colmap/verdict.h"
#include "tests/listener.h"

#include <cmath>

#include <Eigen/Geometry>
#include <colmap/scene/two_view_geometry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string FrameName(int i) { return "f" + std::to_string(100 + i) + ".jpg"; }

// A capture of `count` frames, the first `registered` of which are in the
// chosen model, number 1 of 2.
struct Outcome {
  MappingResult mapping;
  std::vector<std::string> names;
  std::vector<MatchedPair> pairs;
  CaptureFile capture;
  Listener report;

  Outcome(int count, int registered) {
    mapping.models.resize(2);
    mapping.chosen = 1;
    mapping.mean_error = 0.4567;
    for (int i = 0; i < count; ++i) {
      names.push_back(FrameName(i));
      capture.frames.emplace_back().name = names.back();
      if (i < registered) Put(i, 1);
    }
  }

  void Put(int frame, int model) {
    mapping.models[model].images[static_cast<uint32_t>(900 - frame)].name =
        FrameName(frame);
  }

  void Match(int first, int second, size_t inliers) {
    MatchedPair& pair = pairs.emplace_back();
    pair.first = first;
    pair.second = second;
    pair.geometry.inliers.resize(inliers);
  }

  StageResult Judge() {
    return JudgeMapping(mapping, names, pairs, capture, &report);
  }

  std::string ReasonOf(int frame) {
    return Judge()
        .facts["reconstruction"]["unregistered"][FrameName(frame)]
        .get<std::string>();
  }
};

TEST(Reasons, NothingInCommon) {
  Outcome outcome(20, 19);
  outcome.Match(3, 19, 0);
  EXPECT_EQ(outcome.ReasonOf(19), "no other image shows the same things");
}

TEST(Reasons, TooFewMatchesAreFewerThanThirtyWithTheBest) {
  Outcome outcome(20, 19);
  outcome.Match(3, 19, 11);
  outcome.Match(4, 19, 29);
  outcome.Match(5, 19, 3);
  outcome.Match(5, 6, 400);
  EXPECT_EQ(outcome.ReasonOf(19),
            "too few matches (29 with the best other image)");
  outcome.Match(7, 19, 30);
  EXPECT_EQ(outcome.ReasonOf(19),
            "its matches fit no place among the other cameras");
}

TEST(Reasons, BlurredIsBelowThreeFifthsOfTheNeighbours) {
  Outcome outcome(20, 19);
  outcome.Match(3, 19, 400);
  outcome.capture.frames[19].relative_sharpness = 0.6;
  EXPECT_EQ(outcome.ReasonOf(19),
            "its matches fit no place among the other cameras");
  outcome.capture.frames[19].relative_sharpness = 0.587;
  EXPECT_EQ(outcome.ReasonOf(19),
            "blurred (sharpness 59 % of its neighbours')");
}

TEST(Reasons, APartOfItsOwnAndAStrayComeFirst) {
  Outcome outcome(20, 18);
  outcome.capture.frames[19].relative_sharpness = 0.1;
  outcome.Put(19, 0);
  EXPECT_EQ(outcome.ReasonOf(19), "in a part of its own (colmap/sparse/0)");
  outcome.mapping.strays = {FrameName(19), FrameName(18)};
  EXPECT_EQ(outcome.ReasonOf(19),
            "its camera came out far from its neighbours' path");
}

// Pairs number the images with those between them.
TEST(Reasons, AreOfTheRightImageWithFramesBetween) {
  Outcome outcome(20, 19);
  outcome.names.insert(outcome.names.begin() + 5, "f104_1.jpg");
  outcome.Match(3, 20, 17);
  outcome.Match(3, 19, 90);
  EXPECT_EQ(outcome.ReasonOf(19),
            "too few matches (17 with the best other image)");
}

TEST(JudgeMapping, WarnsBelowNineInTen) {
  Outcome most(20, 18);
  EXPECT_EQ(most.Judge().state, StageResult::State::kDone);
  EXPECT_THAT(most.report.warnings, IsEmpty());
  Outcome fewer(20, 17);
  EXPECT_EQ(fewer.Judge().state, StageResult::State::kDone);
  EXPECT_THAT(fewer.report.warnings,
              ElementsAre(HasSubstr(
                  "3 of 20 images could not be registered, so parts")));
  Outcome all(20, 20);
  EXPECT_EQ(all.Judge().line, "20 of 20 images, 0 points, 0.46 px");
  EXPECT_THAT(all.report.infos, IsEmpty());
}

TEST(JudgeMapping, NamesFiveOnTheScreenAndAllInTheLog) {
  Outcome outcome(20, 13);
  outcome.Judge();
  ASSERT_EQ(outcome.report.infos.size(), 1u);
  EXPECT_THAT(outcome.report.infos[0],
              HasSubstr("not registered: f113.jpg: no other image"));
  EXPECT_THAT(outcome.report.infos[0], HasSubstr("; f117.jpg: "));
  EXPECT_THAT(outcome.report.infos[0], Not(HasSubstr("f118.jpg")));
  EXPECT_TRUE(outcome.report.infos[0].ends_with("; and 2 more"));
  EXPECT_EQ(outcome.report.details.size(), 7u);
  EXPECT_THAT(outcome.report.details, Contains(HasSubstr("f119.jpg: no ")));
}

// Frames that were not kept are no loss.
TEST(JudgeMapping, CountsTheKeptFrames) {
  Outcome outcome(20, 15);
  for (int i = 15; i < 20; ++i) {
    outcome.capture.frames[static_cast<size_t>(i)].kept = false;
    outcome.names.pop_back();
  }
  EXPECT_EQ(outcome.Judge().line, "15 of 15 images, 0 points, 0.46 px");
}

TEST(JudgeMapping, AFailureListsModelsInStretches) {
  Outcome outcome(40, 3);
  for (const int frame : {5, 6, 9, 12, 20, 21, 30}) outcome.Put(frame, 1);
  outcome.Put(35, 0);
  outcome.Put(36, 0);
  const StageResult result = outcome.Judge();
  EXPECT_EQ(result.state, StageResult::State::kFailed);
  EXPECT_THAT(
      result.line,
      HasSubstr("only 10 of 40 images could be registered in one scene; "
                "move the camera sideways"));
  EXPECT_EQ(result.account[0],
            "model 0: 2 images, 0 points: f135.jpg to f136.jpg");
  EXPECT_EQ(result.account[1],
            "model 1: 10 images, 0 points: f100.jpg to f102.jpg, f105.jpg to "
            "f106.jpg, f109.jpg, f112.jpg, ...");
  EXPECT_EQ(result.account.size(), 2u + 30);
}

// Parts of less than eight images are no captures of their own.
TEST(JudgeMapping, APartIsEightImages) {
  Outcome outcome(40, 10);
  for (int i = 20; i < 27; ++i) outcome.Put(i, 0);
  EXPECT_THAT(outcome.Judge().line, HasSubstr("only 10 of 40 images"));
  outcome.Put(27, 0);
  EXPECT_THAT(outcome.Judge().line,
              HasSubstr("falls into 2 parts that share no view, of which the "
                        "largest has 10 of 40 images"));
}

TEST(TooFewFrames, CountsInWords) {
  EXPECT_THAT(TooFewFrames(1).line, HasSubstr("1 frame is kept, at least 8"));
  EXPECT_THAT(TooFewFrames(7).line, HasSubstr("7 frames are kept, at least 8"));
  EXPECT_EQ(TooFewFrames(0).state, StageResult::State::kFailed);
}

TEST(ImplausibleLens, NamesTheModelAndASimplerOne) {
  const StageResult result = ImplausibleLens("OPENCV");
  EXPECT_EQ(result.state, StageResult::State::kFailed);
  EXPECT_THAT(result.line, HasSubstr("(camera model OPENCV)"));
  EXPECT_THAT(result.line, HasSubstr("colmap.camera_model=SIMPLE_RADIAL"));
}

// Pictures of 641 x 479 (a diagonal of 800) that a camera with this focal
// length takes from one place, turned by so many degrees for each; or shifted.
constexpr int kWidth = 641, kHeight = 479;

struct Views {
  std::vector<Features> features;
  std::vector<MatchedPair> pairs;

  Views(int count, const Eigen::Matrix3d& step, int inliers = 40) {
    const Eigen::Matrix3d by = step;
    Eigen::Matrix3d from_first = Eigen::Matrix3d::Identity();
    for (int i = 0; i < count; ++i) {
      Features& of_image = features.emplace_back();
      for (int k = 0; k < inliers; ++k) {
        const Eigen::Vector2d p =
            (from_first * Eigen::Vector3d(100 + 11 * k, 50 + 7 * k % 300, 1))
                .hnormalized();
        of_image.keypoints.push_back(
            {static_cast<float>(p.x()), static_cast<float>(p.y())});
      }
      from_first = by * from_first;
    }
    for (int i = 0; i + 1 < count; ++i) {
      MatchedPair& pair = pairs.emplace_back();
      pair.first = i;
      pair.second = i + 1;
      for (int k = 0; k < inliers; ++k) {
        pair.geometry.inliers.push_back(
            {static_cast<uint32_t>(k), static_cast<uint32_t>(k)});
      }
      pair.geometry.config =
          colmap::TwoViewGeometry::ConfigurationType::PLANAR_OR_PANORAMIC;
      pair.geometry.homography = 2.5 * by;  // known up to scale
    }
  }

  std::string Verdict() const {
    const auto failure = JudgeMatches(pairs, features, kWidth, kHeight);
    return failure ? failure->line : "fine";
  }
};

Eigen::Matrix3d Turn(double focal, double degrees) {
  Eigen::Matrix3d k;
  k << focal, 0, kWidth / 2.0, 0, focal, kHeight / 2.0, 0, 0, 1;
  return k *
         Eigen::AngleAxisd(degrees / 57.29578,
                           Eigen::Vector3d(0.3, 1, 0.1).normalized())
             .toRotationMatrix() *
         k.inverse();
}

Eigen::Matrix3d Shift(double x, double y) {
  Eigen::Matrix3d shift = Eigen::Matrix3d::Identity();
  shift(0, 2) = x;
  shift(1, 2) = y;
  return shift;
}

// A plane that is passed at an angle.
Eigen::Matrix3d Plane() {
  Eigen::Matrix3d plane;
  plane << 1.3, 0.1, 20, -0.05, 0.8, 9, 3e-4, 1e-4, 1;
  return plane;
}

TEST(JudgeMatches, ATurnOnTheSpotIsOneWhateverTheLens) {
  for (const double focal : {400.0, 700.0, 1500.0}) {
    EXPECT_THAT(Views(9, Turn(focal, 4)).Verdict(),
                HasSubstr("the camera turns on the spot"))
        << focal;
  }
  EXPECT_EQ(Views(9, Plane()).Verdict(), "fine");
}

TEST(JudgeMatches, NineInTenPairsHaveToTurn) {
  Views views(21, Turn(700, 2));
  const auto other = colmap::TwoViewGeometry::ConfigurationType::UNCALIBRATED;
  views.pairs[4].geometry.config = other;
  views.pairs[9].geometry.config = other;
  EXPECT_THAT(views.Verdict(), HasSubstr("turns on the spot"));
  views.pairs[11].geometry.config = other;
  EXPECT_EQ(views.Verdict(), "fine");
}

TEST(JudgeMatches, PairsWithFewInliersOrLittleMotionTellNoTurn) {
  EXPECT_EQ(Views(9, Turn(700, 4), 29).Verdict(), "fine");
  EXPECT_THAT(Views(9, Turn(700, 4), 30).Verdict(), HasSubstr("turns"));
  // A fiftieth of the diagonal is 16 pixels.
  EXPECT_EQ(Views(9, Shift(12, 9)).Verdict(), "fine");
  EXPECT_THAT(Views(9, Shift(14, 9)).Verdict(), HasSubstr("turns"));
}

// 0.3 % of the diagonal: 2.4 pixels.
TEST(JudgeMatches, ACameraThatStandsStillIsTold) {
  EXPECT_THAT(Views(9, Shift(1.4, 1.8)).Verdict(),
              HasSubstr("the camera stands still (the picture moves by 2.3 "
                        "pixels at most)"));
  EXPECT_EQ(Views(9, Shift(1.5, 2)).Verdict(), "fine");
  // One pair that moves is enough.
  Views views(9, Shift(0.1, 0.2));
  for (Keypoint& keypoint : views.features[8].keypoints) keypoint.y += 9;
  EXPECT_EQ(views.Verdict(), "fine");
}

TEST(JudgeMatches, ImagesWithNothingInCommonAreTold) {
  EXPECT_THAT(Views(9, Shift(30, 0), 0).Verdict(),
              HasSubstr("no two images show the same things recognisably; "
                        "move the camera sideways"));
  EXPECT_THAT(Views(1, Shift(30, 0)).Verdict(), HasSubstr("no two images"));
}

TEST(CountJumps, AreStepsOfMoreThanEightTimesTheMedian) {
  std::vector<Eigen::Vector3d> centres;
  double x = 0;
  for (int i = 0; i < 12; ++i) {
    centres.emplace_back(x, 0.5 * x, -x);
    x += i == 4 ? 7.9 : i == 8 ? 8.1 : 1;
  }
  EXPECT_EQ(CountJumps(centres), 1);
  centres[11] += Eigen::Vector3d(0, 0, 40);
  EXPECT_EQ(CountJumps(centres), 2);
  centres.resize(4);
  centres[3] += Eigen::Vector3d(0, 0, 400);
  EXPECT_EQ(CountJumps(centres), 0);
}

}  // namespace
}  // namespace nerfpipe::sfm
