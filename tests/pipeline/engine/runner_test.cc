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
  StageResult Run(const StageContext& context) override {
    std::ofstream(context.out / name_) << "made by " << name_;
    does_(context);
    return StageResult::Done("did it");
  }

  std::vector<std::string> inputs = {kCaptureInput};
  bool isolated = false;

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

}  // namespace
}  // namespace nerfpipe
