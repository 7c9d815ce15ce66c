// What status and summary.json say, and what the runner tells on the way.

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "tests/pipeline/engine/toy_workspace.h"

#include <regex>

#include <gmock/gmock.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Keeps all lines, with their kind.
class Transcript : public Report {
 public:
  void Info(std::string_view line) override { Add("", line); }
  void Warn(std::string_view line) override { Add("warning: ", line); }
  void Detail(std::string_view line) override { Add("detail: ", line); }
  void Show(const Table&) override {}
  std::unique_ptr<Progress> Start(std::string_view what,
                                  int64_t total,
                                  std::string_view unit) override {
    return SilentReport().Start(what, total, unit);
  }

  std::vector<std::string> lines;

 private:
  void Add(const std::string& kind, std::string_view line) {
    static const std::regex kTime("\\(\\d+\\.\\d s\\)");
    lines.push_back(kind +
                    std::regex_replace(std::string(line), kTime, "(TIME)"));
  }
};

class StatusTest : public ToyWorkspace {
 protected:
  std::string SummaryState(const std::string& stage) {
    return nlohmann::json::parse(ReadFile(root_ / "summary.json"))
        .at("stages")
        .at(stage)
        .at("state");
  }
  std::string ErrorOfRunAgain(const std::string& stage) {
    try {
      RunAgain(stage);
    } catch (const UserError& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(StatusTest, OfANewWorkspace) {
  EXPECT_THAT(Status(),
              ElementsAre("cut stale: never run",
                          "look waiting: after cut",
                          "solve waiting: after look",
                          "train waiting: after solve",
                          "render waiting: after solve"));
}

TEST_F(StatusTest, WhatWaitsMakesItsOwnDependantsWait) {
  Run();
  toy_.options.level = 1;
  EXPECT_THAT(Status(),
              ElementsAre("cut done",
                          "look stale: option look.level changed from 0 to 1",
                          "solve waiting: after look",
                          "train waiting: after solve",
                          "render waiting: after solve"));
}

TEST_F(StatusTest, EqualOutputLetsDependantsGoFree) {
  Run();
  toy_.options.level = 1;
  Run("look");
  EXPECT_THAT(Notes(), ElementsAre("begin look", "part look 0", "end look"));
  EXPECT_THAT(
      Status(),
      ElementsAre(
          "cut done", "look done", "solve done", "train done", "render done"));
}

TEST_F(StatusTest, OnlyWhatDependsOnAChangeRuns) {
  Run();
  toy_.options.scale = 2;
  EXPECT_EQ(Run().stages_run, 1);
  toy_.options.mark = "n";
  EXPECT_EQ(Run().stages_run, 4);
}

TEST_F(StatusTest, TellsEveryReasonAndTheLastResult) {
  Run();
  toy_.options.method = "y";
  const StageStatus train = MakeRunner().Status()[3];
  EXPECT_EQ(train.description, "plays train");
  EXPECT_EQ(train.line, "train made it");
  EXPECT_GT(train.seconds, 0);
  EXPECT_THAT(train.reasons,
              ElementsAre("option train.method changed from x to y",
                          "option y.steps is new (3)",
                          "option x.steps (2) no longer counts",
                          "train/y was not written yet"));
}

TEST_F(StatusTest, UntilStopsBehindThatStage) {
  const RunOutcome outcome = Run("look");
  EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(outcome.stages_run, 2);
  EXPECT_FALSE(fs::exists(root_ / "images"));
  EXPECT_EQ(SummaryState("look"), "done");
  EXPECT_EQ(SummaryState("solve"), "not run");
  // Also when that stage is up to date.
  Run("look");
  EXPECT_FALSE(fs::exists(root_ / "images"));
}

TEST_F(StatusTest, SummaryFollows) {
  Run();
  for (const std::string& stage : toy::kStages) {
    EXPECT_EQ(SummaryState(stage), "done");
  }
  toy_.options.seed = 1;
  toy_.disturbance = {Kind::kFailure, "solve", 1};
  Run();
  EXPECT_EQ(SummaryState("look"), "done");
  EXPECT_EQ(SummaryState("solve"), "failed");
  EXPECT_EQ(SummaryState("train"), "stale");
  toy_.disturbance.kind = Kind::kUserError;
  EXPECT_THROW(Run(), UserError);
  EXPECT_EQ(SummaryState("solve"), "failed");
}

TEST_F(StatusTest, FailureStopsTheRun) {
  toy_.disturbance = {Kind::kFailure, "solve", 0};
  const RunOutcome outcome = Run();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.failed_stage, "solve");
  EXPECT_EQ(outcome.failure.line, "solve cannot");
  EXPECT_EQ(outcome.stages_run, 3);  // with the one that failed
  EXPECT_FALSE(fs::exists(root_ / "images"));
  EXPECT_FALSE(fs::exists(root_ / "renders"));
}

TEST_F(StatusTest, RunAgainOfAnUpToDateStageStartsFromScratch) {
  Run();
  EXPECT_EQ(RunAgain("solve").stages_run, 1);
  EXPECT_THAT(Notes(),
              ElementsAre("begin solve",
                          "part solve 0",
                          "part solve 1",
                          "part solve 2",
                          "end solve"));
  EXPECT_EQ(Visible(), Fresh());
}

TEST_F(StatusTest, RunAgainOfAnInterruptedStageGoesOn) {
  RunInterrupted("solve", 1);
  RunAgain("solve");
  EXPECT_THAT(Notes(), ElementsAre("begin solve", "part solve 2", "end solve"));
}

// Interrupted while it was done again: up to date, and from scratch once more.
TEST_F(StatusTest, RunAgainAfterRunAgainWasInterrupted) {
  Run();
  toy_.disturbance = {Kind::kInterrupt, "solve", 1};
  EXPECT_THROW(RunAgain("solve"), Interrupted);
  RequestInterrupt(false);
  toy_.disturbance = {};
  EXPECT_EQ(Status()[2], "solve done");
  RunAgain("solve");
  EXPECT_THAT(Notes()[1], "part solve 0");
}

TEST_F(StatusTest, RunAgainOfAWaitingStageSaysWhatToDo) {
  Run("cut");
  EXPECT_THAT(ErrorOfRunAgain("train"),
              HasSubstr("stage train can only run after solve, which is not up "
                        "to date; 'nerfpipe run -w " +
                        root_.string() + " --until train' runs both"));
  EXPECT_THAT(Notes(), IsEmpty());
}

TEST_F(StatusTest, MissingCaptureIsNamed) {
  fs::remove_all(capture_);
  try {
    Run();
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.problem(), HasSubstr(capture_.string()));
    EXPECT_THAT(error.remedy(), HasSubstr("nerfpipe run CAPTURE -w"));
  }
}

TEST_F(StatusTest, InterruptBetweenStagesStopsTheRun) {
  RequestInterrupt(true);
  EXPECT_THROW(Run(), Interrupted);
  RequestInterrupt(false);
  EXPECT_THAT(Notes(), IsEmpty());
}

TEST_F(StatusTest, RunnerTellsWhatItDoesAndWhy) {
  Transcript report;
  MakeRunner(report).RunUntil("look");
  EXPECT_THAT(report.lines,
              ElementsAre("[1/5] cut         plays cut",
                          "      cut made it  (TIME)",
                          "[2/5] look        plays look",
                          "      look made it  (TIME)"));
  report.lines.clear();
  toy_.options.level = 2;
  toy_.options.mark = "n";
  MakeRunner(report).RunUntil("look");
  EXPECT_THAT(
      report.lines,
      ElementsAre("detail: [1/5] cut         up to date",
                  "[2/5] look        plays look (option look.level changed "
                  "from 0 to 2)",
                  "detail:   also: option look.mark changed from m to n",
                  "      look made it  (TIME)"));
  report.lines.clear();
  MakeRunner(report).RunAgain("look");
  EXPECT_EQ(report.lines[0], "[2/5] look        plays look (asked for)");
}

}  // namespace
}  // namespace nerfpipe
