#include "stages/colmap/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

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

TEST(JudgeMapping, DoneWithFigures) {
  const StageResult result =
      JudgeMapping(Mapped(18), Names(20), &SilentReport());
  EXPECT_EQ(result.state, StageResult::State::kDone);
  EXPECT_EQ(result.line, "18 of 20 images, 1 points, 0.62 px");
  EXPECT_EQ(result.facts["frames"]["registered"], 18);
  EXPECT_EQ(result.facts["reconstruction"]["models"], 2);
  EXPECT_EQ(result.facts["reconstruction"]["points"], 1);
  EXPECT_EQ(result.facts["reconstruction"]["registered_share"], 0.9);
  EXPECT_EQ(result.facts["reconstruction"]["unregistered"],
            nlohmann::ordered_json({"f28.jpg", "f29.jpg"}));
}

TEST(JudgeMapping, LessThanHalfOrLessThanEightFail) {
  EXPECT_EQ(JudgeMapping(Mapped(10), Names(20), &SilentReport()).state,
            StageResult::State::kDone);
  const StageResult half = JudgeMapping(Mapped(9), Names(20), &SilentReport());
  EXPECT_EQ(half.state, StageResult::State::kFailed);
  EXPECT_THAT(half.line, HasSubstr("only 9 of 20 images"));
  EXPECT_THAT(half.account,
              ElementsAre("model 0: 0 images, 0 points",
                          "model 1: 9 images, 1 points",
                          HasSubstr("f19.jpg, f20.jpg")));
  EXPECT_EQ(JudgeMapping(Mapped(7), Names(10), &SilentReport()).state,
            StageResult::State::kFailed);
  EXPECT_EQ(JudgeMapping({}, Names(10), &SilentReport()).state,
            StageResult::State::kFailed);
}

}  // namespace
}  // namespace nerfpipe::sfm
