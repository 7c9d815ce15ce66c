#include "stages/colmap/verdict.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ChooseModel, TakesTheMostImagesThenTheMostPointsThenTheFirst) {
  EXPECT_EQ(ChooseModel({{2, 900}, {71, 4000}, {30, 9000}}), 1);
  EXPECT_EQ(ChooseModel({{20, 100}, {20, 300}, {20, 200}}), 1);
  EXPECT_EQ(ChooseModel({{20, 300}, {20, 300}}), 0);
}

std::vector<std::string> Names(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) {
    names.push_back("f" + std::to_string(10 + i) + ".jpg");
  }
  return names;
}

// A model of the first `registered` of the names, after a fragment of two.
MappingResult Mapped(int registered) {
  MappingResult mapping;
  mapping.models.resize(2);
  mapping.chosen = 1;
  mapping.mean_error = 0.617;
  for (int i = 0; i < registered; ++i) {
    // Identifiers are not positions.
    mapping.models[1].images[900 - i].name = Names(registered)[i];
  }
  mapping.models[1].points[5].xyz.setZero();
  return mapping;
}

CaptureFile Captured(int count) {
  CaptureFile capture;
  for (const std::string& name : Names(count)) {
    capture.frames.emplace_back().name = name;
  }
  return capture;
}

StageResult Judge(const MappingResult& mapping, int count) {
  return JudgeMapping(
      mapping, Names(count), {}, Captured(count), &SilentReport());
}

TEST(JudgeMapping, DoneWithFigures) {
  const StageResult result = Judge(Mapped(18), 20);
  EXPECT_EQ(result.state, StageResult::State::kDone);
  EXPECT_EQ(result.line, "18 of 20 images, 1 points, 0.62 px");
  EXPECT_EQ(result.facts["frames"]["registered"], 18);
  EXPECT_EQ(result.facts["reconstruction"]["models"], 2);
  EXPECT_EQ(result.facts["reconstruction"]["points"], 1);
  EXPECT_EQ(result.facts["reconstruction"]["registered_share"], 0.9);
  EXPECT_EQ(result.facts["reconstruction"]["unregistered"],
            nlohmann::ordered_json(
                {{"f28.jpg", "no other image shows the same things"},
                 {"f29.jpg", "no other image shows the same things"}}));
}

TEST(JudgeMapping, FramesBetweenDoNotCountForThoseOfTheCapture) {
  MappingResult mapping = Mapped(18);
  mapping.models[1].images[1].name = "f12_1.jpg";
  mapping.models[1].images[2].name = "f12_2.jpg";
  const StageResult result = Judge(mapping, 20);
  EXPECT_EQ(result.line,
            "18 of 20 images and 2 between them, 1 points, 0.62 px");
  EXPECT_EQ(result.facts["frames"]["registered"], 18);
  EXPECT_EQ(result.facts["frames"]["added"], 2);
}

TEST(JudgeMapping, LessThanHalfOrLessThanEightFail) {
  EXPECT_EQ(Judge(Mapped(10), 20).state, StageResult::State::kDone);
  const StageResult less = Judge(Mapped(9), 20);
  EXPECT_EQ(less.state, StageResult::State::kFailed);
  EXPECT_THAT(less.line, HasSubstr("only 9 of 20 images"));
  EXPECT_EQ(less.account[1], "model 1: 9 images, 1 points: f10.jpg to f18.jpg");
  EXPECT_EQ(less.account.back(),
            "f29.jpg: no other image shows the same things");
  EXPECT_EQ(Judge(Mapped(7), 10).state, StageResult::State::kFailed);
  EXPECT_EQ(Judge({}, 10).state, StageResult::State::kFailed);
}

TEST(JudgeMapping, NamesThePartsOfACaptureThatFallsApart) {
  MappingResult mapping = Mapped(9);
  for (int i = 9; i < 18; ++i) {
    mapping.models[0].images[i].name = Names(20)[static_cast<size_t>(i)];
  }
  const StageResult result = Judge(mapping, 20);
  EXPECT_THAT(result.line,
              HasSubstr("falls into 2 parts that share no view, of which the "
                        "largest has 9 of 20 images"));
  EXPECT_THAT(result.account,
              Contains("f20.jpg: in a part of its own (colmap/sparse/0)"));
}

TEST(JudgeMapping, TellsWhyAnImageIsNotPlaced) {
  MappingResult mapping = Mapped(18);
  mapping.strays = {"f31.jpg"};
  CaptureFile capture = Captured(22);
  capture.frames[19].relative_sharpness = 0.5;
  std::vector<MatchedPair> pairs(2);
  pairs[0].first = 3;
  pairs[0].second = 18;
  pairs[0].geometry.inliers.resize(20);
  pairs[1].first = 4;
  pairs[1].second = 20;
  pairs[1].geometry.inliers.resize(90);
  const StageResult result =
      JudgeMapping(mapping, Names(22), pairs, capture, &SilentReport());
  EXPECT_EQ(
      result.facts["reconstruction"]["unregistered"],
      nlohmann::ordered_json(
          {{"f28.jpg", "too few matches (20 with the best other image)"},
           {"f29.jpg", "blurred (sharpness 50 % of its neighbours')"},
           {"f30.jpg", "its matches fit no place among the other cameras"},
           {"f31.jpg", "its camera came out far from its neighbours' path"}}));
}

TEST(CentresOffThePath, AreThoseThatJumpThereAndBack) {
  std::vector<Eigen::Vector3d> centres;
  for (int i = 0; i < 20; ++i) {
    centres.emplace_back(std::cos(0.3 * i), std::sin(0.3 * i), 0.01 * i);
  }
  EXPECT_TRUE(CentresOffThePath(centres).empty());
  centres[7] += Eigen::Vector3d(0, 0, 5);
  EXPECT_THAT(CentresOffThePath(centres), ElementsAre(7));
  // A step that is not taken back is a gap in the walk.
  for (size_t i = 12; i < 20; ++i) centres[i] += Eigen::Vector3d(9, 0, 0);
  EXPECT_THAT(CentresOffThePath(centres), ElementsAre(7));
}

// Steps of 1: a stray is more than 10 off both neighbours, which are no more
// than 4 apart; the ends have but one neighbour.
TEST(CentresOffThePath, AStrayIsFarOffWhereItsNeighboursAreClose) {
  const auto found = [](double off, double across, size_t stray) {
    std::vector<Eigen::Vector3d> centres;
    for (size_t i = 0; i < 9; ++i) {
      centres.emplace_back(static_cast<double>(i), -3, 7);
      if (i > stray) centres[i].x() += across - 2;
    }
    centres[stray].y() += off;
    return CentresOffThePath(centres);
  };
  EXPECT_THAT(found(10.1, 2, 4), ElementsAre(4));
  EXPECT_THAT(found(9.9, 2, 4), ElementsAre());
  EXPECT_THAT(found(30, 3.9, 4), ElementsAre(4));
  EXPECT_THAT(found(30, 4.1, 4), ElementsAre());
  EXPECT_THAT(found(30, 2, 7), ElementsAre(7));
  EXPECT_THAT(found(30, 2, 8), ElementsAre());
  EXPECT_THAT(found(30, 2, 0), ElementsAre());
}

}  // namespace
}  // namespace nerfpipe::sfm
