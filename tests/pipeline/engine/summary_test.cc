#include "pipeline/engine/summary.h"

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

TEST(Summary, TellsStatesAndFiguresInTheOrderOfTheStages) {
  StageRecord extract;
  extract.name = "extract";
  extract.state = "done";
  extract.present = true;
  extract.manifest.seconds = 12.3456;
  extract.manifest.peak_memory_mb = 812.34;
  extract.manifest.facts = {{"frames", {{"extracted", 80}}}};
  StageRecord colmap;
  colmap.name = "colmap";
  colmap.state = "failed";
  colmap.failure = "no cameras";
  StageRecord check = extract;
  check.name = "check";
  check.state = "stale";
  check.manifest.facts = {{"frames", {{"kept", 71}}}, {"check", "good"}};
  EXPECT_EQ(MakeSummary({extract, colmap, check}).dump(),
            "{\"stages\":{"
            "\"extract\":{\"state\":\"done\",\"seconds\":12.35,"
            "\"peak_memory_mb\":812.3},"
            "\"colmap\":{\"state\":\"failed\",\"failure\":\"no cameras\"},"
            "\"check\":{\"state\":\"stale\",\"seconds\":12.35,"
            "\"peak_memory_mb\":812.3}},"
            "\"frames\":{\"extracted\":80,\"kept\":71},\"check\":\"good\"}");
}

// Figures of a record that is not there do not come from nowhere.
TEST(Summary, AbsentRecordHasNoFigures) {
  StageRecord train;
  train.name = "train";
  train.state = "not run";
  train.manifest.facts = {{"training", 1}};
  EXPECT_EQ(MakeSummary({train}).dump(),
            "{\"stages\":{\"train\":{\"state\":\"not run\"}}}");
}

}  // namespace
}  // namespace nerfpipe
