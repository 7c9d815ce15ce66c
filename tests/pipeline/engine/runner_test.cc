#include "pipeline/engine/runner.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "tests/temporary_folder.h"

#include <csignal>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/time.h>
#include <sys/wait.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Writes its inputs, one after the other, with a prefix: into a folder of
// `files` files and a single file beside it.
class Copier : public Stage {
 public:
  Copier(std::string name, std::string input)
      : name_(std::move(name)), input_(std::move(input)) {}

  std::string Name() const override { return name_; }
  int Version() const override { return 1; }
  std::string Description() const override { return "copies"; }
  std::vector<std::string> Inputs() const override { return {input_}; }
  std::vector<std::string> Outputs() const override {
    return {name_ + "_folder", name_ + ".txt"};
  }
  std::vector<OptionGroup> Options() override {
    OptionGroup group(name_);
    group.Integer("files", &files, "how many", 1, 100)
        .Text("prefix", &prefix, "goes before")
        .Integer("speed", &speed, "no effect", 0, 9, Effect::kNone);
    return {group};
  }
  StageResult Run(const StageContext& context) override {
    ++runs;
    if (fail) {
      return StageResult::Failed(name_ + " cannot");
    }
    std::string text = prefix;
    const fs::path input =
        input_ == kCaptureInput ? context.capture : context.workspace / input_;
    text += ReadFile(input);
    fs::create_directories(context.out / (name_ + "_folder"));
    for (int i = 0; i < files; ++i) {
      // Goes on from finished parts, as long stages do.
      const fs::path part = context.scratch / std::to_string(i);
      if (!fs::exists(part)) {
        WriteFileAtomically(part, text);
      }
      fs::copy_file(part,
                    context.out / (name_ + "_folder") / std::to_string(i));
      ThrowIfInterrupted();
    }
    WriteFileAtomically(context.out / (name_ + ".txt"),
                        constant_output ? "constant" : text);
    StageResult result = StageResult::Done("copied");
    if (name_ == "a") {  // a stage may have nothing to tell
      result.facts = {{name_, {{"files", files}}}};
    }
    return result;
  }

  int files = 3;
  int speed = 0;
  std::string prefix;
  bool fail = false;
  bool constant_output = false;
  int runs = 0;

 private:
  std::string name_;
  std::string input_;
};

class RunnerTest : public ::testing::Test {
 protected:
  RunnerTest() { WriteFileAtomically(folder_ / "capture.txt", "capture"); }

  Workspace Open(const std::string& name = "w") {
    return Workspace::OpenOrCreate(folder_ / name, folder_ / "capture.txt");
  }
  RunOutcome Run(const std::string& name = "w") {
    const Workspace workspace = Open(name);
    return Runner(workspace, {&a_, &b_}, {}, {}, SilentReport()).RunUntil("");
  }
  std::vector<StageStatus> Status() {
    const Workspace workspace = Open();
    return Runner(workspace, {&a_, &b_}, {}, {}, SilentReport()).Status();
  }
  // Every file outside .nerfpipe except summary.json (it tells times).
  std::map<std::string, std::string> Files(const std::string& name) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / name)) {
      const std::string path =
          entry.path().lexically_relative(folder_ / name).string();
      if (entry.is_regular_file() && path[0] != '.' && path != "summary.json") {
        files[path] = ReadFile(entry.path());
      }
    }
    return files;
  }

  TemporaryFolder folder_;
  Copier a_{"a", kCaptureInput};
  Copier b_{"b", "a.txt"};
};

TEST_F(RunnerTest, SecondRunDoesNothing) {
  EXPECT_EQ(Run().stages_run, 2);
  EXPECT_EQ(Run().stages_run, 0);
  EXPECT_EQ(ReadFile(folder_ / "w/b_folder/2"), "capture");
}

TEST_F(RunnerTest, ChangedOptionRunsWhatDependsOnIt) {
  Run();
  b_.prefix = "x";
  EXPECT_THAT(Status()[1].reasons,
              ElementsAre("option b.prefix changed from  to x"));
  Run();
  EXPECT_EQ(a_.runs, 1);
  EXPECT_EQ(b_.runs, 2);
  EXPECT_EQ(ReadFile(folder_ / "w/b.txt"), "xcapture");

  a_.prefix = "y";
  EXPECT_THAT(Status()[1].reasons, ElementsAre("after a"));
  Run();
  EXPECT_EQ(ReadFile(folder_ / "w/b.txt"), "xycapture");

  a_.speed = 5;  // cannot change the result
  EXPECT_EQ(Run().stages_run, 0);
}

TEST_F(RunnerTest, EqualOutputStopsTheRerun) {
  a_.constant_output = true;
  Run();
  a_.prefix = "y";
  Run();
  EXPECT_EQ(a_.runs, 2);
  EXPECT_EQ(b_.runs, 1);
}

TEST_F(RunnerTest, FewerFilesLeaveNoneOfTheOldOnes) {
  Run();
  a_.files = 2;
  Run();
  EXPECT_FALSE(fs::exists(folder_ / "w/a_folder/2"));
  EXPECT_TRUE(fs::exists(folder_ / "w/a_folder/1"));
}

TEST_F(RunnerTest, WhatTheUserAlteredIsKept) {
  Run();
  WriteFileAtomically(folder_ / "w/a_folder/notes.txt", "mine");
  Run();
  EXPECT_FALSE(fs::exists(folder_ / "w/a_folder/notes.txt"));
  EXPECT_EQ(ReadFile(folder_ / "w/.nerfpipe/saved/1/a_folder/notes.txt"),
            "mine");
}

TEST_F(RunnerTest, FoldersOfOthersAreRefused) {
  Open();
  fs::create_directories(folder_ / "w/b_folder");
  WriteFileAtomically(folder_ / "w/b_folder/mine", "mine");
  try {
    Run();
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.problem(), HasSubstr("w/b_folder"));
  }
  EXPECT_EQ(ReadFile(folder_ / "w/b_folder/mine"), "mine");
  EXPECT_EQ(b_.runs, 0);

  fs::create_directories(folder_ / "photos");
  WriteFileAtomically(folder_ / "photos/1.jpg", "");
  EXPECT_THROW(Open("photos"), UserError);
}

TEST_F(RunnerTest, FailureIsTold) {
  b_.fail = true;
  const RunOutcome outcome = Run();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.failed_stage, "b");
  EXPECT_THAT(Status()[1].reasons, ElementsAre("failed: b cannot"));
  const auto summary =
      nlohmann::json::parse(ReadFile(folder_ / "w/summary.json"));
  EXPECT_EQ(summary["stages"]["a"]["state"], "done");
  EXPECT_EQ(summary["stages"]["b"]["state"], "failed");
  EXPECT_EQ(summary["a"]["files"], 3);
}

TEST_F(RunnerTest, DamagedRecordRunsTheStageAgain) {
  Run();
  const fs::path record = folder_ / "w/.nerfpipe/a.json";
  fs::resize_file(record, fs::file_size(record) / 2);
  EXPECT_THAT(Status()[0].reasons, ElementsAre("its record is damaged"));
  EXPECT_EQ(Run().stages_run, 1);
  EXPECT_EQ(Run().stages_run, 0);
}

TEST_F(RunnerTest, LockedWorkspaceNamesItsHolder) {
  const Workspace workspace = Open();
  const WorkspaceLock lock(workspace);
  try {
    const WorkspaceLock second(workspace);
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.problem(),
                HasSubstr("in use by process " + std::to_string(getpid())));
  }
}

TEST_F(RunnerTest, WorkspaceOfAnotherCaptureIsRefused) {
  Open();
  WriteFileAtomically(folder_ / "other.txt", "other");
  EXPECT_THROW(Workspace::OpenOrCreate(folder_ / "w", folder_ / "other.txt"),
               UserError);
  fs::rename(folder_ / "capture.txt", folder_ / "moved.txt");
  EXPECT_EQ(
      Workspace::OpenOrCreate(folder_ / "w", folder_ / "moved.txt").capture(),
      folder_ / "moved.txt");
}

TEST_F(RunnerTest, InterruptKeepsFinishedParts) {
  RequestInterrupt(true);
  EXPECT_THROW(Run(), Interrupted);
  RequestInterrupt(false);
  Run();
  EXPECT_EQ(ReadFile(folder_ / "w/b.txt"), "capture");
}

// A run over older results is killed after ever more microseconds, until it
// gets through; each is gone on with, and must end with the same files.
TEST_F(RunnerTest, KillAtAnyMomentLosesNothing) {
  a_.files = b_.files = 5;
  Run("undisturbed");
  const auto expected = Files("undisturbed");

  bool killed = true;
  int kills = 0;
  for (int microseconds = 200; killed; microseconds += microseconds / 4) {
    fs::remove_all(folder_ / "w");
    a_.prefix = "old ";
    Run();
    a_.prefix = "";
    const pid_t child = fork();
    if (child == 0) {
      struct itimerval timer = {};
      timer.it_value.tv_sec = microseconds / 1'000'000;
      timer.it_value.tv_usec = microseconds % 1'000'000;
      std::signal(SIGALRM, [](int) { kill(getpid(), SIGKILL); });
      setitimer(ITIMER_REAL, &timer, nullptr);
      Run();
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    killed = WIFSIGNALED(status);
    kills += killed;
    Run();
    EXPECT_EQ(Files("w"), expected) << "killed after " << microseconds << " us";
    EXPECT_EQ(Run().stages_run, 0);
  }
  EXPECT_GT(kills, 3);
}

}  // namespace
}  // namespace nerfpipe
