#include "pipeline/base/atomic_file.h"

#include "pipeline/base/error.h"
#include "tests/preload/recorded_run.h"
#include "tests/temporary_folder.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

size_t CountIn(const fs::path& folder) {
  return static_cast<size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

std::string Problem(const std::function<void()>& body) {
  try {
    body();
  } catch (const UserError& error) {
    EXPECT_NE(error.remedy(), "");
    return error.problem();
  }
  return "";
}

TEST(AtomicFile, ReplacesWholeFilesAndLeavesNothingBeside) {
  const TemporaryFolder folder;
  const std::string binary("\0\n\r\xff", 4);
  WriteFileAtomically(folder / "a.txt", "old");
  WriteFileAtomically(folder / "a.txt", std::string(1 << 20, 'x') + binary);
  EXPECT_EQ(ReadFile(folder / "a.txt"), std::string(1 << 20, 'x') + binary);
  WriteFileAtomically(folder / "a.txt", "");
  EXPECT_EQ(ReadFile(folder / "a.txt"), "");
  EXPECT_EQ(CountIn(folder), 1);
}

TEST(AtomicFile, MayBeReadAsOthersAre) {
  const TemporaryFolder folder;
  WriteFileAtomically(folder / "a.txt", "x");
  struct stat status = {};
  stat((folder / "a.txt").c_str(), &status);
  const mode_t mask = umask(0);
  umask(mask);
  EXPECT_EQ(status.st_mode & 0777, 0666 & ~mask);
}

TEST(AtomicFile, RefusedWriteIsAUserErrorThatNamesTheFile) {
  EXPECT_THAT(Problem([] { WriteFileAtomically("/proc/nerfpipe", "x"); }),
              HasSubstr("/proc/nerfpipe"));
  const TemporaryFolder folder;
  fs::create_directories(folder / "taken/by/a/folder");
  EXPECT_THAT(Problem([&] { WriteFileAtomically(folder / "taken", "x"); }),
              HasSubstr("taken"));
  EXPECT_EQ(CountIn(folder), 1);
}

// A disk that is full, or breaks, at any of the calls.
TEST(AtomicFile, RefusalLeavesTheOldFileAndNothingBeside) {
  const TemporaryFolder folder;
  WriteFileAtomically(folder / "a.txt", "old");
  for (const char* call : {"create:1", "write:1", "fsync:1", "rename:1"}) {
    for (const int error : {ENOSPC, EDQUOT, EACCES}) {
      const RecordedRun run =
          RunRecorded({NERFPIPE_WRITER, "file", folder / "a.txt", "new"},
                      folder,
                      call + (":" + std::to_string(error)));
      EXPECT_EQ(run.exit_code, 1) << call;
      EXPECT_THAT(run.output,
                  HasSubstr("cannot write " + (folder / "a.txt").string()));
      EXPECT_THAT(run.output,
                  HasSubstr(error == EACCES ? "check the permissions"
                                            : "free some disk space"));
      EXPECT_EQ(ReadFile(folder / "a.txt"), "old") << call;
      EXPECT_EQ(CountIn(folder), 1) << call;
    }
  }
}

TEST(AtomicFile, InterruptedWriteGoesOn) {
  const TemporaryFolder folder;
  const RecordedRun run =
      RunRecorded({NERFPIPE_WRITER, "file", folder / "a.txt", "new"},
                  folder,
                  "write:1:" + std::to_string(EINTR));
  EXPECT_EQ(run.exit_code, 0) << run.output;
  EXPECT_EQ(ReadFile(folder / "a.txt"), "new");
}

TEST(AtomicFile, LeftoversOfKilledWritersAreRemoved) {
  const TemporaryFolder folder;
  const pid_t dead = fork();
  if (dead == 0) {
    _exit(0);
  }
  waitpid(dead, nullptr, 0);
  const std::string id = std::to_string(dead);
  const std::vector<std::string> others = {
      ".a.txt.part" + std::to_string(getpid()),  // is being written
      "a.txt.part" + id,
      ".a.txt.part",
      ".a.txt.part" + id + "x",
      ".a.txt"};
  WriteFileAtomically(folder / (".a.txt.part" + id), "half");
  for (const std::string& name : others) {
    WriteFileAtomically(folder / name, "whole");
  }
  RemoveLeftovers(folder);
  EXPECT_FALSE(fs::exists(folder / (".a.txt.part" + id)));
  for (const std::string& name : others) {
    EXPECT_TRUE(fs::exists(folder / name)) << name;
  }
}

TEST(AtomicFile, WhatCannotBeReadIsNamed) {
  const TemporaryFolder folder;
  EXPECT_THAT(Problem([&] { ReadFile(folder / "none"); }),
              HasSubstr((folder / "none").string()));
  EXPECT_THAT(Problem([&] { ReadFile(folder); }), HasSubstr("is a folder"));
}

}  // namespace
}  // namespace nerfpipe
