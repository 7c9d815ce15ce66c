// What the runner hands to a stage that runs in this process, and what it
// records of it.

#include "pipeline/engine/runner.h"

#include "pipeline/base/error.h"
#include "tests/temporary_folder.h"
#include "tests/touched_memory.h"

#include <fstream>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AnyStage : public Stage {
 public:
  AnyStage(std::string name, std::function<void(const StageContext&)> does)
      : name_(std::move(name)), does_(std::move(does)) {}

  std::string Name() const override { return name_; }
  int Version() const override { return 4; }
  std::string Description() const override { return "does it"; }
  std::vector<std::string> Inputs() const override { return inputs; }
  std::vector<std::string> Outputs() const override { return {name_}; }
  std::vector<OptionGroup> Options() override { return {}; }
  bool Isolated() const override { return isolated; }
  bool Enabled() const override { return enabled; }
  bool Optional() const override { return optional; }
  std::vector<std::string> OptionalInputs() const override {
    return optional_inputs;
  }
  std::vector<OptionGroup> SharedOptions() override {
    OptionGroup group("shared");
    group.Integer("number", &shared, "of another stage", 0, 9);
    return {group};
  }
  void LookAt(const fs::path& workspace) override { looked_at = workspace; }
  StageResult Run(const StageContext& context) override {
    std::ofstream(context.out / name_) << "made by " << name_;
    does_(context);
    return StageResult::Done("did it");
  }

  std::vector<std::string> inputs = {kCaptureInput};
  std::vector<std::string> optional_inputs;
  bool isolated = false;
  bool enabled = true;
  bool optional = false;
  int shared = 3;
  fs::path looked_at;

 private:
  std::string name_;
  std::function<void(const StageContext&)> does_;
};

class RunnerTest : public ::testing::Test {
 protected:
  RunOutcome Run(const std::vector<Stage*>& stages,
                 const Machine& machine = {}) {
    return Runner(workspace_, stages, machine, {}, SilentReport()).RunUntil("");
  }
  Manifest Record(const std::string& stage) {
    Manifest manifest;
    EXPECT_EQ(ReadManifest(workspace_.ManifestPath(stage), &manifest),
              ManifestState::kPresent);
    return manifest;
  }

  TemporaryFolder folder_{FastPlace()};
  Workspace workspace_ =
      Workspace::OpenOrCreate(folder_ / "w", folder_ / "capture");
  RunnerTest() { fs::create_directories(folder_ / "capture"); }
};

TEST_F(RunnerTest, MachineReachesTheStage) {
  StageContext seen;
  AnyStage stage("a", [&](const StageContext& context) { seen = context; });
  Run({&stage}, {3, "2G", "cuda:1"});
  EXPECT_EQ(seen.threads, 3);
  EXPECT_EQ(seen.memory, 2'000'000'000);
  EXPECT_EQ(seen.device, "cuda:1");
  EXPECT_EQ(seen.capture, folder_ / "capture");
  EXPECT_EQ(seen.workspace, folder_ / "w");
}

// The high-water mark of one stage is not that of the next.
TEST_F(RunnerTest, PeakMemoryIsThatOfTheStage) {
  AnyStage big("big", [](const StageContext&) {
    const TouchedMemory held(300'000'000);
  });
  AnyStage small("small", [](const StageContext&) {
    const TouchedMemory held(60'000'000);
  });
  Run({&big, &small});
  const double of_big = Record("big").peak_memory_mb;
  const double of_small = Record("small").peak_memory_mb;
  EXPECT_GE(of_big, 300);
  EXPECT_GE(of_small, 60);
  EXPECT_NEAR(of_big - of_small, 240, 40);
}

TEST_F(RunnerTest, RecordTellsWhatWasDone) {
  AnyStage stage("a", [](const StageContext&) {});
  Run({&stage});
  const Manifest record = Record("a");
  EXPECT_EQ(record.stage, "a");
  EXPECT_EQ(record.stage_version, 4);
  EXPECT_EQ(record.line, "did it");
  EXPECT_GT(record.seconds, 0);
  EXPECT_EQ(record.inputs.count("@capture"), 1u);
  EXPECT_EQ(record.outputs.at("a").files.count("a"), 1u);
}

TEST_F(RunnerTest, WithoutACommandIsolatedStagesRunHere) {
  bool ran = false;
  AnyStage stage("a", [&](const StageContext&) { ran = true; });
  stage.isolated = true;
  Run({&stage});
  EXPECT_TRUE(ran);
}

TEST_F(RunnerTest, StageThatDoesNotWriteItsOutputIsABug) {
  AnyStage stage(
      "a", [](const StageContext& context) { fs::remove(context.out / "a"); });
  EXPECT_THROW(Run({&stage}), CheckFailed);
  EXPECT_FALSE(fs::exists(workspace_.ManifestPath("a")));
}

TEST_F(RunnerTest, MissingInputIsNamed) {
  AnyStage stage("a", [](const StageContext&) {});
  stage.inputs = {"frames"};
  try {
    Run({&stage});
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.problem(), HasSubstr("w/frames is missing"));
    EXPECT_THAT(error.problem(), HasSubstr("stage a reads it"));
  }
}

TEST_F(RunnerTest, CaptureThatChangesMeanwhileIsReadAgain) {
  AnyStage stage("a", [&](const StageContext&) {
    std::ofstream(folder_ / "capture/new.jpg") << "x";
  });
  EXPECT_EQ(Run({&stage}).stages_run, 1);
  EXPECT_EQ(Run({&stage}).stages_run, 1);
  EXPECT_EQ(Run({&stage}).stages_run, 0);
}

// Two ways to a result, of which either will do.
class OptionalStages : public RunnerTest {
 protected:
  OptionalStages() {
    for (AnyStage* way : {&first_, &second_}) way->optional = true;
    after_.inputs = {"first"};
    after_.optional = true;
    last_.inputs = last_.optional_inputs = {"first", "second"};
  }

  RunOutcome Run(const std::string& until = "") {
    ran_.clear();
    return MakeRunner().RunUntil(until);
  }
  Runner MakeRunner() {
    return Runner(workspace_,
                  {&first_, &second_, &after_, &last_},
                  {},
                  {},
                  SilentReport());
  }
  std::string State(const std::string& stage) {
    return MakeRunner().Summary().at("stages").at(stage).at("state");
  }
  std::function<void(const StageContext&)> Note(const std::string& name) {
    return [this, name](const StageContext&) {
      ran_.push_back(name);
      if (name == failing_) throw UserError(name + " cannot", "help it");
    };
  }

  std::vector<std::string> ran_;
  std::string failing_;
  AnyStage first_{"first", Note("first")};
  AnyStage second_{"second", Note("second")};
  AnyStage after_{"after", Note("after")};
  AnyStage last_{"last", Note("last")};
};

TEST_F(OptionalStages, AFailureIsToldAndGoneAroundUntilItIsMended) {
  failing_ = "first";
  RunOutcome outcome = Run();
  EXPECT_TRUE(outcome.ok);
  EXPECT_THAT(ran_, ElementsAre("first", "second", "last"));
  EXPECT_THAT(outcome.without,
              ElementsAre(HasSubstr("stage first failed: first cannot"),
                          HasSubstr("stage after failed: first is not there")));
  EXPECT_EQ(State("first"), "failed");
  EXPECT_EQ(State("last"), "done");
  EXPECT_EQ(Record("last").inputs.count("first"), 0);
  // Tried again each time; what could do without it has nothing to do.
  outcome = Run();
  EXPECT_THAT(ran_, ElementsAre("first"));
  failing_ = "";
  outcome = Run();
  EXPECT_THAT(ran_, ElementsAre("first", "after", "last"));
  EXPECT_THAT(outcome.without, ::testing::IsEmpty());
  EXPECT_EQ(Record("last").inputs.count("first"), 1);
}

TEST_F(OptionalStages, AFailureCountsWhereItIsWhatWasAskedFor) {
  failing_ = "second";
  EXPECT_THROW(Run("second"), UserError);
  EXPECT_TRUE(Run("after").ok);
}

TEST_F(OptionalStages, WhatIsNotEnabledIsLeftOut) {
  Run();
  EXPECT_EQ(first_.looked_at, workspace_.root());
  second_.enabled = false;
  last_.inputs = last_.optional_inputs = {"first"};
  EXPECT_EQ(MakeRunner().Status()[1].state, StageStatus::State::kOff);
  EXPECT_EQ(State("second"), "off");
  Run();
  EXPECT_THAT(ran_, ElementsAre("last"));
  // Unless it is asked for by its name.
  fs::remove(workspace_.root() / "second");
  Run("second");
  EXPECT_THAT(ran_, ElementsAre("second"));
}

TEST_F(OptionalStages, SharedOptionsCountInEachStage) {
  Run();
  last_.shared = 4;
  Run();
  EXPECT_THAT(ran_, ElementsAre("last"));
  EXPECT_EQ(Record("last").options.at("shared.number"), "4");
}

}  // namespace
}  // namespace nerfpipe
