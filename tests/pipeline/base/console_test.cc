#include "pipeline/base/console.h"

#include "pipeline/base/atomic_file.h"
#include "tests/temporary_folder.h"

#include <cstdlib>
#include <regex>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

namespace nerfpipe {
namespace {

using ::testing::HasSubstr;

// Both ends of something that is printed to.
class Wire {
 public:
  explicit Wire(bool terminal) {
    if (!terminal) {
      int ends[2];
      EXPECT_EQ(pipe(ends), 0);
      read_end_ = ends[0];
      write_end_ = ends[1];
      return;
    }
    read_end_ = posix_openpt(O_RDWR | O_NOCTTY);
    grantpt(read_end_);
    unlockpt(read_end_);
    write_end_ = open(ptsname(read_end_), O_RDWR | O_NOCTTY);
    struct termios settings = {};
    tcgetattr(write_end_, &settings);
    settings.c_oflag &= ~static_cast<tcflag_t>(OPOST);  // "\n" stays as it is
    tcsetattr(write_end_, TCSANOW, &settings);
  }
  ~Wire() {
    close(read_end_);
    close(write_end_);
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  int end() const { return write_end_; }

  // What was printed since the last look.
  std::string Text() {
    std::string text;
    struct pollfd ready = {read_end_, POLLIN, 0};
    while (poll(&ready, 1, 0) > 0 && (ready.revents & POLLIN) != 0) {
      char buffer[4096];
      const ssize_t count = read(read_end_, buffer, sizeof(buffer));
      if (count <= 0) {
        break;
      }
      text.append(buffer, static_cast<size_t>(count));
    }
    return text;
  }

 private:
  int read_end_ = -1;
  int write_end_ = -1;
};

class ConsoleTest : public ::testing::Test {
 protected:
  ConsoleOptions Options(bool quiet = false, bool verbose = false) {
    return {quiet, verbose, [this] { return now_; }};
  }

  double now_ = 1000;
};

constexpr char kErase[] = "\r\x1b[K";

TEST_F(ConsoleTest, PrintsLinesAndMarksWarnings) {
  Wire pipe(false);
  Console console(pipe.end(), Options());
  console.Info("made it");
  console.Detail("by hand");
  console.Warn("dark");
  console.Show({{"stage", "n"}, {{"a", "1"}, {"b", "20"}}});
  EXPECT_EQ(pipe.Text(),
            "made it\n"
            "warning: dark\n"
            "  stage   n\n"
            "  a       1\n"
            "  b      20\n");
}

TEST_F(ConsoleTest, QuietLeavesOnlyWarnings) {
  Wire terminal(true);
  Console console(terminal.end(), Options(true));
  console.Info("made it");
  console.Detail("by hand");
  console.Show({{"stage"}, {{"a"}}});
  console.Warn("dark");
  const auto progress = console.Start("train", 100, "steps");
  progress->Update(1);
  now_ += 100;
  progress->Update(2);
  EXPECT_EQ(terminal.Text(), "warning: dark\n");
}

TEST_F(ConsoleTest, VerboseShowsDetails) {
  Wire pipe(false);
  Console console(pipe.end(), Options(false, true));
  console.Detail("by hand");
  EXPECT_EQ(pipe.Text(), "by hand\n");
}

// Everything goes into the log, whatever the screen shows.
TEST_F(ConsoleTest, LogHasAllLinesWithTimeAndKind) {
  const TemporaryFolder folder;
  WriteFileAtomically(folder / "log", "of an earlier run\n");
  Wire pipe(false);
  {
    Console console(pipe.end(), Options(true));
    console.Info("before");
    console.LogTo(folder / "log");
    console.Info("made it");
    console.Detail("by hand");
    console.Warn("dark");
  }
  const std::string stamp = "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d ";
  EXPECT_TRUE(std::regex_match(
      ReadFile(folder / "log"),
      std::regex("of an earlier run\n" + stamp + "info made it\n" + stamp +
                 "detail by hand\n" + stamp + "warning dark\n")))
      << ReadFile(folder / "log");
}

// A run that was killed has its last words in the log.
TEST_F(ConsoleTest, LogIsWrittenLineByLine) {
  const TemporaryFolder folder;
  Wire pipe(false);
  Console console(pipe.end(), Options());
  console.LogTo(folder / "log");
  console.Info("made it");
  EXPECT_THAT(ReadFile(folder / "log"), HasSubstr("info made it\n"));
}

TEST_F(ConsoleTest, TerminalRewritesOneLine) {
  Wire terminal(true);
  Console console(terminal.end(), Options());
  auto progress = console.Start("train", 100, "steps");
  progress->Update(0);
  EXPECT_EQ(terminal.Text(),
            kErase + std::string("  train  0/100 steps  0.0 s"));
  now_ += 2;
  progress->Update(20, "psnr 24.1");
  EXPECT_EQ(
      terminal.Text(),
      kErase + std::string("  train  20/100 steps  8.0 s left  psnr 24.1"));
  // Other lines appear above it.
  console.Info("saved");
  EXPECT_EQ(terminal.Text(),
            kErase + std::string("saved\n  train  20/100 steps  8.0 s left  "
                                 "psnr 24.1"));
  progress.reset();
  EXPECT_EQ(terminal.Text(), kErase);
  console.Info("done");
  EXPECT_EQ(terminal.Text(), "done\n");
}

TEST_F(ConsoleTest, TerminalIsWrittenToTenTimesASecondAtMost) {
  Wire terminal(true);
  Console console(terminal.end(), Options());
  const auto progress = console.Start("train", 100, "steps");
  progress->Update(1);
  terminal.Text();
  now_ += 0.09;
  progress->Update(2);
  EXPECT_EQ(terminal.Text(), "");
  now_ += 0.02;
  progress->Update(3);
  EXPECT_THAT(terminal.Text(), HasSubstr("3/100"));
}

TEST_F(ConsoleTest, PipeGetsALineEveryHalfMinute) {
  Wire pipe(false);
  Console console(pipe.end(), Options());
  const auto progress = console.Start("train", 100, "steps");
  progress->Update(0);
  now_ += 29;
  progress->Update(5);
  EXPECT_EQ(pipe.Text(), "");
  now_ += 1;
  progress->Update(10);
  EXPECT_EQ(pipe.Text(), "  train  10/100 steps  4 min 30 s left\n");
  now_ += 29;
  progress->Update(11);
  EXPECT_EQ(pipe.Text(), "");
  now_ += 1;
  progress->Update(20, "psnr 9");
  EXPECT_EQ(pipe.Text(), "  train  20/100 steps  4 min 00 s left  psnr 9\n");
}

// Steps that an earlier run made cost no time now.
TEST_F(ConsoleTest, TimeLeftIsReckonedFromWhereThisRunBegan) {
  Wire pipe(false);
  Console console(pipe.end(), Options());
  const auto progress = console.Start("train", 1000, "steps");
  progress->Update(900);
  now_ += 60;
  progress->Update(950);
  EXPECT_EQ(pipe.Text(), "  train  950/1000 steps  1 min 00 s left\n");
}

TEST_F(ConsoleTest, WithoutTotalOrAtTheEndTheTimeTakenIsShown) {
  Wire pipe(false);
  Console console(pipe.end(), Options());
  const auto endless = console.Start("survey", 0, "frames");
  endless->Update(1);
  now_ += 90;
  endless->Update(77);
  EXPECT_EQ(pipe.Text(), "  survey  77 frames  1 min 30 s\n");
  const auto progress = console.Start("render", 7, "frames");
  progress->Update(1);
  now_ += 40;
  progress->Update(7);
  EXPECT_EQ(pipe.Text(), "  render  7/7 frames  40 s\n");
}

TEST_F(ConsoleTest, ClosedScreenDoesNotStopTheWork) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  close(ends[1]);
  Console console(ends[1], Options());
  console.Info("nobody listens");
}

TEST(Console, CountsOnTheSystemsClock) {
  Wire terminal(true);
  Console console(terminal.end(), {});
  const auto progress = console.Start("train", 100, "steps");
  progress->Update(0);
  EXPECT_THAT(terminal.Text(), HasSubstr("train  0/100 steps  0."));
}

}  // namespace
}  // namespace nerfpipe
