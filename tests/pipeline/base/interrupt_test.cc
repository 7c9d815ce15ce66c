#include "pipeline/base/interrupt.h"

#include "pipeline/base/error.h"
#include "tests/wait_until.h"

#include <csignal>
#include <functional>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace nerfpipe {
namespace {

// Exit code of a child that does this, or 128 + the signal that ended it.
int InChild(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(Interrupt, FirstSignalOnlySetsTheFlag) {
  for (const int signal_number : {SIGINT, SIGTERM}) {
    EXPECT_EQ(InChild([&] {
                CatchInterrupts();
                const bool before = InterruptRequested();
                raise(signal_number);
                return !before && InterruptRequested() ? 0 : 1;
              }),
              0)
        << signal_number;
  }
}

TEST(Interrupt, IsThrownAtTheNextSafePoint) {
  EXPECT_EQ(InChild([] {
              CatchInterrupts();
              ThrowIfInterrupted();
              raise(SIGTERM);
              try {
                ThrowIfInterrupted();
              } catch (const Interrupted&) {
                return 0;
              }
              return 1;
            }),
            0);
}

// An impatient user gets out.
TEST(Interrupt, SecondCtrlCEndsAtOnce) {
  for (const int first : {SIGINT, SIGTERM}) {
    EXPECT_EQ(InChild([&] {
                CatchInterrupts();
                raise(first);
                raise(SIGINT);
                return 0;
              }),
              128 + SIGINT)
        << first;
  }
}

// A shutdown sends it more than once: work is saved all the same.
TEST(Interrupt, SecondTermDoesNotKill) {
  for (const int first : {SIGINT, SIGTERM}) {
    EXPECT_EQ(InChild([&] {
                CatchInterrupts();
                raise(first);
                raise(SIGTERM);
                raise(SIGTERM);
                return InterruptRequested() ? 0 : 1;
              }),
              0)
        << first;
  }
}

TEST(Interrupt, ReadsAndWritesAreNotCutShort) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    CatchInterrupts();
    char byte = 0;
    const bool whole = read(ends[0], &byte, 1) == 1 && byte == 'x';
    _exit(whole && InterruptRequested() ? 0 : 1);
  }
  WaitUntil([&] { return IsAsleep(child); });
  kill(child, SIGTERM);
  WaitUntil([&] { return !HasPendingSignal(child) && IsAsleep(child); });
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  close(ends[0]);
  close(ends[1]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace nerfpipe
