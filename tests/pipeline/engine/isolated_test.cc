#include "pipeline/engine/isolated.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/memory.h"
#include "pipeline/engine/runner.h"
#include "tests/listener.h"
#include "tests/pipeline/engine/isolated_stage.h"
#include "tests/temporary_folder.h"
#include "tests/touched_memory.h"
#include "tests/wait_until.h"

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class Isolated : public ::testing::Test {
 protected:
  // Notes what each child is allowed.
  IsolatedCommand Child(const std::string& does) {
    return [this, does](const std::string& stage, int64_t memory) {
      EXPECT_EQ(stage, "solve");
      allowed_.push_back(memory);
      return std::vector<std::string>{NERFPIPE_ISOLATED_CHILD,
                                      std::to_string(getpid()),
                                      workspace_.root(),
                                      std::to_string(memory),
                                      does};
    };
  }

  RunOutcome Run(const std::string& does) {
    return Runner(workspace_, {&stage_}, machine_, Child(does), report_)
        .RunUntil("");
  }
  Manifest Record() {
    Manifest manifest;
    EXPECT_EQ(ReadManifest(workspace_.ManifestPath("solve"), &manifest),
              ManifestState::kPresent);
    return manifest;
  }
  std::string Log() { return ReadFile(workspace_.LogPath("solve")); }
  // The exit code that the program would have.
  int RunInterruptibly(const std::string& does) {
    CatchInterrupts();
    try {
      return Run(does).ok ? 0 : 1;
    } catch (const Interrupted&) {
      return 130;
    }
  }

  TemporaryFolder folder_{FastPlace()};
  Workspace workspace_ =
      Workspace::OpenOrCreate(folder_.path() / "work", folder_.path());
  Machine machine_ = {0, "4G", "auto"};
  IsolatedStage stage_;
  Listener report_;
  std::vector<int64_t> allowed_;
};

TEST_F(Isolated, ResultComesBackFromTheChild) {
  const RunOutcome outcome = Run("work");
  EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(outcome.stages_run, 1);
  EXPECT_EQ(Record().line, "made it");
  EXPECT_EQ(Record().facts.dump(), "{\"frames\":{\"kept\":71}}");
  EXPECT_EQ(Record().reduced, "");
  EXPECT_EQ(ReadFile(workspace_.root() / "told.txt"),
            "4000000000 3 cuda:1 of 4000000000");
  EXPECT_THAT(allowed_, ElementsAre(4'000'000'000));
}

TEST_F(Isolated, FailureComesBackWithItsAccount) {
  const RunOutcome outcome = Run("fail");
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.failed_stage, "solve");
  EXPECT_EQ(outcome.failure.line, "no cameras");
  EXPECT_THAT(outcome.failure.account, ElementsAre("tried this", "and that"));
}

TEST_F(Isolated, UserErrorComesBackAsOne) {
  try {
    Run("throw");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_EQ(error.problem(), "frame 7 is empty");
    EXPECT_EQ(error.remedy(), "take it out");
    EXPECT_EQ(error.exit_code(), ExitCode::kUsage);
  }
}

TEST_F(Isolated, DeathInALibraryNamesTheLog) {
  const RunOutcome outcome = Run("abort");
  EXPECT_FALSE(outcome.ok);
  EXPECT_THAT(outcome.failure.line,
              AllOf(HasSubstr("died in a library (signal 6)"),
                    HasSubstr(workspace_.LogPath("solve").string())));
  EXPECT_THAT(Log(), HasSubstr("words on stderr\n"));
  EXPECT_THAT(Run("exit").failure.line,
              HasSubstr("died in a library (exit code 9)"));
  EXPECT_THAT(report_.warnings, IsEmpty());
}

TEST_F(Isolated, WhatLibrariesPrintGoesToTheLog) {
  WriteFileAtomically(workspace_.LogPath("solve"), "of an earlier run\n");
  Run("talk");
  EXPECT_THAT(Log(), HasSubstr("of an earlier run\n"));
  EXPECT_THAT(Log(), HasSubstr("words on cout\n"));
  EXPECT_THAT(Log(), HasSubstr("words on stdout\n"));
  EXPECT_THAT(Log(), HasSubstr("words on stderr\n"));
  EXPECT_THAT(Log(), Not(HasSubstr("words for people")));
}

TEST_F(Isolated, KilledForMemoryRunsOnceMoreWithHalfOfWhatItHeld) {
  EXPECT_TRUE(Run("eat").ok);
  ASSERT_THAT(allowed_, SizeIs(2));
  EXPECT_EQ(allowed_[0], 4'000'000'000);
  EXPECT_GE(allowed_[1], 550'000'000);
  EXPECT_LE(allowed_[1], 700'000'000);
  EXPECT_THAT(report_.warnings,
              ElementsAre(AllOf(HasSubstr("memory ran out"),
                                HasSubstr("it held 1."),
                                HasSubstr("GB"))));
  EXPECT_EQ(ReadFile(workspace_.root() / "told.txt"),
            std::to_string(allowed_[1]) + " 3 cuda:1 of 4000000000")
      << "what the result may count on stays";
}

// A later run does not do it again unasked, and says when it could.
TEST_F(Isolated, WhatWasReducedIsOfferedOnceThereIsRoom) {
  Run("reduce");
  EXPECT_EQ(Record().reduced, "half of it was made");
  machine_.memory = "8.9G";
  EXPECT_EQ(Run("reduce").stages_run, 0);
  for (const std::string& line : report_.infos) {
    EXPECT_THAT(line, Not(HasSubstr("for want of memory")));
  }
  machine_.memory = "9G";
  EXPECT_EQ(Run("reduce").stages_run, 0);
  EXPECT_THAT(report_.infos.back(),
              AllOf(HasSubstr("half of it was made for want of memory"),
                    HasSubstr("'nerfpipe stage solve -w " +
                              workspace_.root().string() + " --mem 9G'")));
}

TEST_F(Isolated, SecondRunIsNeverAllowedTooLittle) {
  EXPECT_FALSE(Run("killed").ok);
  EXPECT_THAT(allowed_, ElementsAre(4'000'000'000, kLeastMemory));
}

TEST_F(Isolated, KilledTwiceFailsWithARemedy) {
  for (const char* does : {"killed", "exhaust"}) {
    allowed_.clear();
    const RunOutcome outcome = Run(does);
    EXPECT_FALSE(outcome.ok);
    EXPECT_THAT(outcome.failure.line, HasSubstr("memory ran out")) << does;
    EXPECT_THAT(outcome.failure.line, HasSubstr("--mem")) << does;
    EXPECT_THAT(allowed_, SizeIs(2)) << does;
  }
}

// The parent held more before: that is not the child's.
TEST_F(Isolated, PeakMemoryIsThatOfTheChild) {
  { const TouchedMemory earlier_stage(500'000'000); }
  Run("hold");
  EXPECT_GE(Record().peak_memory_mb, 150);
  EXPECT_LT(Record().peak_memory_mb, 150 + 150);
}

TEST_F(Isolated, NothingIsDoneForAParentThatIsGone) {
  const pid_t child = fork();  // it would be tied to its parent's life
  if (child == 0) {
    IsolatedStage stage;
    _exit(RunAsChild(1, workspace_, stage, machine_, 1, SilentReport()));
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 1);
  EXPECT_FALSE(fs::exists(workspace_.LogPath("solve")));
}

TEST_F(Isolated, InterruptReachesTheChildAndComesBackAsOne) {
  for (const int signal_number : {SIGINT, SIGTERM}) {
    fs::remove(workspace_.root() / "waits");
    const pid_t runner = fork();
    if (runner == 0) {
      _exit(RunInterruptibly("wait"));
    }
    WaitUntil([&] { return fs::exists(workspace_.root() / "waits"); });
    kill(runner, signal_number);
    int status = 0;
    waitpid(runner, &status, 0);
    EXPECT_TRUE(WIFEXITED(status)) << signal_number;
    EXPECT_EQ(WEXITSTATUS(status), 130) << signal_number;
    EXPECT_EQ(
        Runner(workspace_, {&stage_}, {}, {}, report_).Status()[0].reasons,
        std::vector<std::string>{"interrupted, will go on"});
  }
}

// Ctrl-C while the child still loads its libraries.
TEST_F(Isolated, InterruptBeforeTheChildListensIsOneToo) {
  const pid_t runner = fork();
  if (runner == 0) {
    _exit(RunInterruptibly("deaf"));
  }
  WaitUntil([&] { return fs::exists(workspace_.root() / "waits"); });
  kill(runner, SIGINT);
  int status = 0;
  waitpid(runner, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 130);
}

// A killed run leaves no child behind that writes into its workspace.
TEST_F(Isolated, ChildDiesWithItsParent) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // orphans come to this process
  const pid_t runner = fork();
  if (runner == 0) {
    Run("wait");
    _exit(0);
  }
  WaitUntil([&] { return fs::exists(workspace_.root() / "waits"); });
  const pid_t child = std::stoi(ReadFile(workspace_.root() / "waits"));
  kill(runner, SIGKILL);
  int status = 0;
  waitpid(runner, &status, 0);
  WaitUntil([&] { return waitpid(child, &status, WNOHANG) == child; });
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST_F(Isolated, ContextSaysWhereAndWithWhat) {
  const StageContext context =
      MakeStageContext(workspace_, stage_, {5, "1.5GB", "cpu"}, 77, report_);
  EXPECT_EQ(context.workspace, workspace_.root());
  EXPECT_EQ(context.capture, folder_.path());
  EXPECT_EQ(context.out, workspace_.UnfinishedPath("solve") / "out");
  EXPECT_EQ(context.scratch, workspace_.UnfinishedPath("solve") / "work");
  EXPECT_EQ(context.threads, 5);
  EXPECT_EQ(context.memory, 77);
  EXPECT_EQ(context.memory_limit, 1'500'000'000);
  EXPECT_EQ(context.device, "cpu");
  EXPECT_EQ(context.report, &report_);
  EXPECT_EQ(MakeStageContext(workspace_, stage_, {}, 77, report_).threads,
            static_cast<int>(std::thread::hardware_concurrency()));
}

TEST(MemoryOf, IsWhatWasSetOrMostOfWhatIsFree) {
  EXPECT_EQ(MemoryOf({0, "800M", "auto"}), 800'000'000);
  EXPECT_EQ(MemoryOf({0, "1", "auto"}), 1);
  const auto free = static_cast<double>(AvailableMemory());
  const auto share = static_cast<double>(MemoryOf({0, "0", "auto"}));
  if (share > static_cast<double>(kLeastMemory)) {
    EXPECT_NEAR(share / free, 0.6, 0.1);  // others take and give meanwhile
  }
}

TEST(MemoryOf, LimitDoesNotDependOnWhatIsFree) {
  EXPECT_EQ(MemoryLimitOf({0, "800M", "auto"}), 800'000'000);
  const auto limit = static_cast<double>(MemoryLimitOf({}));
  if (limit > static_cast<double>(kLeastMemory)) {
    EXPECT_NEAR(limit / static_cast<double>(TotalMemory()), 0.6, 1e-6);
  }
}

TEST(StageContext, ThreadsFitIntoTheMemory) {
  StageContext context;
  context.threads = 8;
  EXPECT_EQ(context.ThreadsFor(1e12), 8);  // not said how much there is
  context.memory = 1'250'000'000;          // 250 MB of which the program takes
  EXPECT_EQ(context.ThreadsFor(250e6), 4);
  EXPECT_EQ(context.ThreadsFor(50e6), 8);
  EXPECT_EQ(context.ThreadsFor(2e9), 1);
}

}  // namespace
}  // namespace nerfpipe
