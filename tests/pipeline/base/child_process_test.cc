#include "pipeline/base/child_process.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "tests/temporary_folder.h"
#include "tests/touched_memory.h"
#include "tests/wait_until.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

ChildResult Shell(const std::string& script) {
  return RunChild({"/bin/sh", "-c", script});
}

TEST(ChildProcess, TellsHowTheChildEnded) {
  const ChildResult ended = Shell("exit 7");
  EXPECT_EQ(ended.exit_code, 7);
  EXPECT_EQ(ended.signal, 0);
  const ChildResult killed = Shell("kill -9 $$");
  EXPECT_EQ(killed.signal, 9);
  EXPECT_EQ(killed.exit_code, 0);
  EXPECT_GT(Shell("exit 0").seconds, 0);
}

TEST(ChildProcess, ProgramThatIsNotThereIsAUserError) {
  try {
    RunChild({"/no/such/program"});
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.problem(), HasSubstr("/no/such/program"));
  }
}

TEST(ChildProcess, ArgumentsAndEnvironmentArriveAsTheyAre) {
  const TemporaryFolder folder;
  setenv("NERFPIPE_CHILD_TEST", "of the parent", 1);
  const ChildResult child =
      RunChild({"/bin/sh",
                "-c",
                "printf '%s|' \"$@\" \"$NERFPIPE_CHILD_TEST\" > \"$1\"",
                "sh",
                folder / "told",
                "a b",
                "$(no)",
                "\""});
  unsetenv("NERFPIPE_CHILD_TEST");
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(ReadFile(folder / "told"),
            (folder / "told").string() + "|a b|$(no)|\"|of the parent|");
}

// Ctrl-C on the terminal goes to the whole group of the foreground: the child
// would get it twice.
TEST(ChildProcess, ChildHasAGroupOfItsOwn) {
  const TemporaryFolder folder;
  Shell("cut -d' ' -f 1,5 /proc/$$/stat > '" + (folder / "ids").string() + "'");
  const std::string ids = ReadFile(folder / "ids");
  const size_t space = ids.find(' ');
  EXPECT_EQ(ids.substr(0, space) + "\n", ids.substr(space + 1));
}

// The child notes each signal, and ends some turns of the parent's loop after
// the first one.
TEST(ChildProcess, InterruptIsPassedOnOnceAsTerm) {
  const TemporaryFolder folder;
  const std::string at = folder.path().string();
  std::thread user([&] {
    WaitUntil([&] { return fs::exists(folder / "ready"); });
    RequestInterrupt(true);
  });
  const ChildResult child =
      Shell("cd '" + at +
            "'; trap 'echo term >> told' TERM; trap 'echo int >> told' INT; "
            "touch ready; while [ ! -e told ]; do sleep 0.01; done; "
            "for i in 1 2 3 4 5 6; do sleep 0.04; done; exit 5");
  user.join();
  RequestInterrupt(false);
  EXPECT_EQ(child.exit_code, 5);
  EXPECT_EQ(ReadFile(folder / "told"), "term\n");
}

// Milliseconds in which the parent has looked.
constexpr char kLookedAt[] = "100";

TEST(ChildProcess, PeakMemoryIsThatOfTheChild) {
  const ChildResult child = RunChild({TOUCH_MEMORY, "150", kLookedAt});
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_GE(child.peak_memory_mb, 150);
  EXPECT_LT(child.peak_memory_mb, 150 + 150);
}

// More than the parent has is known from the system, whenever it was.
TEST(ChildProcess, PeakMemoryBetweenTwoLooksIsNotMissed) {
  for (int i = 0; i < 3; ++i) {
    const ChildResult child = RunChild({TOUCH_MEMORY, "300", "0"});
    EXPECT_GE(child.peak_memory_mb, 300);
    EXPECT_LT(child.peak_memory_mb, 300 + 150);
  }
}

// The system counts what the parent held before the child began as well.
TEST(ChildProcess, PeakMemoryIsNotThatOfTheParent) {
  const TouchedMemory own(400'000'000);
  EXPECT_LT(Shell("sleep 0.1").peak_memory_mb, 50);
  const ChildResult child = RunChild({TOUCH_MEMORY, "150", kLookedAt});
  EXPECT_GE(child.peak_memory_mb, 150);
  EXPECT_LT(child.peak_memory_mb, 150 + 150);
}

TEST(PeakMemory, IsTheMostSinceItWasReset) {
  ResetPeakMemory();
  const double before = PeakMemoryMb();
  { const TouchedMemory much(200'000'000); }
  EXPECT_GE(PeakMemoryMb(), before + 190);
  EXPECT_LT(PeakMemoryMb(), before + 260);
  ResetPeakMemory();
  EXPECT_LT(PeakMemoryMb(), before + 60);
}

TEST(ThisProgram, IsTheFileThatRuns) {
  EXPECT_EQ(ThisProgram().filename(), "base_test");
}

}  // namespace
}  // namespace nerfpipe
