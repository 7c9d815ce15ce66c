#include "pipeline/engine/workspace.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "tests/temporary_folder.h"

#include <csignal>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class WorkspaceTest : public ::testing::Test {
 protected:
  WorkspaceTest() { WriteFileAtomically(capture_, "capture"); }

  Workspace Open() { return Workspace::OpenOrCreate(root_, capture_); }
  std::string ErrorOf(const std::function<void()>& body, ExitCode code) {
    try {
      body();
    } catch (const UserError& error) {
      EXPECT_EQ(error.exit_code(), code);
      return error.what();
    }
    return "";
  }

  TemporaryFolder folder_;
  fs::path root_ = folder_ / "w";
  fs::path capture_ = folder_ / "car.mp4";
};

TEST_F(WorkspaceTest, IsMadeAndFoundAgain) {
  EXPECT_FALSE(Workspace::Exists(root_));
  EXPECT_THAT(ErrorOf([&] { Workspace::Open(root_); }, ExitCode::kUsage),
              HasSubstr("is not a nerfpipe workspace"));
  Open();
  EXPECT_TRUE(Workspace::Exists(root_));
  const Workspace found = Workspace::Open(root_);
  EXPECT_EQ(found.capture(), capture_);
  EXPECT_EQ(found.root(), root_);
  EXPECT_TRUE(fs::is_directory(root_ / ".nerfpipe/logs"));
}

// Those of docs/WORKSPACE.md.
TEST_F(WorkspaceTest, FilesHaveTheirPlaces) {
  const Workspace workspace = Open();
  EXPECT_EQ(workspace.ConfigPath(), root_ / "nerfpipe.yaml");
  EXPECT_EQ(workspace.SummaryPath(), root_ / "summary.json");
  EXPECT_EQ(workspace.LogPath("colmap"), root_ / ".nerfpipe/logs/colmap.log");
  EXPECT_EQ(workspace.ManifestPath("colmap"), root_ / ".nerfpipe/colmap.json");
  EXPECT_EQ(workspace.UnfinishedPath("colmap"), root_ / ".nerfpipe/tmp/colmap");
}

TEST_F(WorkspaceTest, PathsAreKeptAbsolute) {
  Workspace::OpenOrCreate(folder_ / "x/../w", folder_ / "y/../car.mp4");
  EXPECT_EQ(Workspace::Open(root_).capture(), capture_);
  EXPECT_EQ(Workspace::Open(folder_ / "x/../w").root(), root_);
}

TEST_F(WorkspaceTest, EmptyFolderIsTaken) {
  fs::create_directories(root_);
  EXPECT_EQ(Open().root(), root_);
}

TEST_F(WorkspaceTest, FolderOfOthersIsRefusedAndLeft) {
  fs::create_directories(root_);
  WriteFileAtomically(root_ / "1.jpg", "mine");
  EXPECT_THAT(ErrorOf([&] { Open(); }, ExitCode::kUsage),
              AllOf(HasSubstr(root_.string()), HasSubstr("choose another")));
  EXPECT_FALSE(fs::exists(root_ / ".nerfpipe"));
}

// A kill between making the folder and its identity.
TEST_F(WorkspaceTest, HalfMadeOneIsTaken) {
  fs::create_directories(root_ / ".nerfpipe/logs");
  EXPECT_EQ(Open().capture(), capture_);
}

TEST_F(WorkspaceTest, OneThatCannotBeMadeIsAUserError) {
  EXPECT_THAT(
      ErrorOf([&] { Workspace::OpenOrCreate(capture_ / "w", capture_); },
              ExitCode::kFailed),
      HasSubstr("cannot make the workspace"));
}

TEST_F(WorkspaceTest, AnotherCaptureIsRefusedUnlessTheFirstHasMoved) {
  Open();
  const fs::path moved = folder_ / "moved.mp4";
  WriteFileAtomically(moved, "other");
  EXPECT_THAT(
      ErrorOf([&] { Workspace::OpenOrCreate(root_, moved); }, ExitCode::kUsage),
      HasSubstr("belongs to " + capture_.string()));
  fs::rename(capture_, moved);
  EXPECT_EQ(Workspace::OpenOrCreate(root_, moved).capture(), moved);
  EXPECT_EQ(Workspace::Open(root_).capture(), moved);
}

TEST_F(WorkspaceTest, NewerFormatIsLeftAlone) {
  Open();
  WriteFileAtomically(root_ / ".nerfpipe/workspace.json",
                      "{\"format\": 2, \"capture\": \"/a\"}");
  EXPECT_THAT(ErrorOf([&] { Open(); }, ExitCode::kFailed),
              HasSubstr("was made by a newer nerfpipe"));
}

TEST_F(WorkspaceTest, DamagedIdentityIsNamed) {
  Open();
  const fs::path identity = root_ / ".nerfpipe/workspace.json";
  for (const char* text : {"", "{\"format\": 1}", "{\"capture\": \"/a\"}"}) {
    WriteFileAtomically(identity, text);
    EXPECT_THAT(ErrorOf([&] { Workspace::Open(root_); }, ExitCode::kFailed),
                AllOf(HasSubstr(identity.string() + " is damaged"),
                      HasSubstr("delete that one file")))
        << text;
  }
  // What the message says helps.
  fs::remove(identity);
  EXPECT_EQ(Open().capture(), capture_);
}

TEST_F(WorkspaceTest, LockNamesItsHolderAndGoesWithIt) {
  const Workspace workspace = Open();
  int told[2];
  int end[2];
  ASSERT_EQ(pipe(told), 0);
  ASSERT_EQ(pipe(end), 0);
  const pid_t holder = fork();
  if (holder == 0) {
    const WorkspaceLock lock(root_);
    char byte = 'x';
    if (write(told[1], &byte, 1) == 1) {
      close(end[1]);
      _exit(static_cast<int>(read(end[0], &byte, 1)));
    }
    _exit(1);
  }
  char byte = 0;
  ASSERT_EQ(read(told[0], &byte, 1), 1);
  EXPECT_THAT(
      ErrorOf(
          [&] { WorkspaceLock second(root_, std::chrono::milliseconds(100)); },
          ExitCode::kFailed),
      AllOf(HasSubstr("is in use by process " + std::to_string(holder)),
            HasSubstr(root_.string())));
  // A holder that is being killed is waited for.
  std::thread user([&] { kill(holder, SIGKILL); });
  const WorkspaceLock freed(root_, std::chrono::seconds(30));
  user.join();
  waitpid(holder, nullptr, 0);
  EXPECT_EQ(ReadFile(root_ / ".nerfpipe/lock"), std::to_string(getpid()));
}

TEST_F(WorkspaceTest, LockEndsWithItsObject) {
  const Workspace workspace = Open();
  { const WorkspaceLock lock(root_); }
  const WorkspaceLock again(root_);
}

}  // namespace
}  // namespace nerfpipe
