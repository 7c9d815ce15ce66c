#include "pipeline/engine/staleness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A stage that ran and of which nothing has changed.
Situation UpToDate() {
  Situation situation;
  situation.record = ManifestState::kPresent;
  situation.stage_version = 3;
  situation.manifest.stage_version = 3;
  situation.options = {{"colmap.overlap", "10"}};
  situation.manifest.options = situation.options;
  situation.inputs = {{"frames", "aa"}};
  situation.manifest.inputs = {{"frames", "aa"}};
  situation.outputs = {{"images", "bb"}};
  situation.manifest.outputs["images"].digest = "bb";
  return situation;
}

TEST(Staleness, NothingChanged) {
  EXPECT_THAT(ReasonsToRun(UpToDate()), IsEmpty());
}

TEST(Staleness, NeverRun) {
  EXPECT_THAT(ReasonsToRun(Situation()), ElementsAre("never run"));
}

TEST(Staleness, Interrupted) {
  Situation situation;
  situation.unfinished = true;
  EXPECT_THAT(ReasonsToRun(situation), ElementsAre("interrupted, will go on"));
}

TEST(Staleness, Failed) {
  Situation situation;
  situation.unfinished = true;
  situation.failure = "no images";
  EXPECT_THAT(ReasonsToRun(situation), ElementsAre("failed: no images"));
}

TEST(Staleness, DamagedRecord) {
  Situation situation = UpToDate();
  situation.record = ManifestState::kDamaged;
  EXPECT_THAT(ReasonsToRun(situation), ElementsAre("its record is damaged"));
}

TEST(Staleness, OptionChanged) {
  Situation situation = UpToDate();
  situation.options["colmap.overlap"] = "20";
  EXPECT_THAT(ReasonsToRun(situation),
              ElementsAre("option colmap.overlap changed from 10 to 20"));
}

TEST(Staleness, OptionAddedAndDropped) {
  Situation situation = UpToDate();
  situation.options = {{"colmap.guided", "yes"}};
  EXPECT_THAT(ReasonsToRun(situation),
              ElementsAre("option colmap.guided is new (yes)",
                          "option colmap.overlap (10) no longer counts"));
}

TEST(Staleness, InputChangedOrMissing) {
  Situation situation = UpToDate();
  situation.inputs["frames"] = "cc";
  EXPECT_THAT(ReasonsToRun(situation), ElementsAre("frames changed"));
  situation.inputs["frames"] = std::nullopt;
  EXPECT_THAT(ReasonsToRun(situation), ElementsAre("frames is missing"));
}

TEST(Staleness, OutputMissingAlteredOrOfOtherOptions) {
  Situation situation = UpToDate();
  situation.outputs["images"] = std::nullopt;
  EXPECT_THAT(ReasonsToRun(situation), ElementsAre("output images is missing"));
  situation.outputs["images"] = "zz";
  EXPECT_THAT(ReasonsToRun(situation),
              ElementsAre("output images was altered"));
  situation.outputs = {{"train/nerf", std::nullopt}};
  EXPECT_THAT(ReasonsToRun(situation),
              ElementsAre("train/nerf was not written yet"));
}

TEST(Staleness, NewerStage) {
  Situation situation = UpToDate();
  situation.stage_version = 4;
  EXPECT_THAT(ReasonsToRun(situation),
              ElementsAre("the stage itself is newer (version 3, now 4)"));
}

TEST(Staleness, InputsAddedAndDropped) {
  Situation situation = UpToDate();
  situation.inputs = {{"images", "cc"}, {"@capture", std::nullopt}};
  EXPECT_THAT(ReasonsToRun(situation),
              ElementsAre("the capture is missing",
                          "images is a new input",
                          "frames is no longer an input"));
}

TEST(Staleness, OutputsOfOtherOptionsDoNotCount) {
  Situation situation = UpToDate();
  situation.manifest.outputs["train/other"].digest = "xx";
  EXPECT_THAT(ReasonsToRun(situation), IsEmpty());
}

TEST(Staleness, MostTellingReasonComesFirst) {
  Situation situation = UpToDate();
  situation.stage_version = 4;
  situation.options["colmap.overlap"] = "20";
  situation.inputs["frames"] = "cc";
  situation.outputs["images"] = "zz";
  EXPECT_THAT(ReasonsToRun(situation),
              ElementsAre("the stage itself is newer (version 3, now 4)",
                          "option colmap.overlap changed from 10 to 20",
                          "frames changed",
                          "output images was altered"));
}

}  // namespace
}  // namespace nerfpipe
