#include "pipeline/engine/commit.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "tests/listener.h"
#include "tests/pipeline/engine/toy_workspace.h"
#include "tests/preload/file_calls.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class CommitTest : public ToyWorkspace {
 protected:
  std::string Saved(const std::string& path) {
    return ReadFile(root_ / ".nerfpipe/saved" / path);
  }
  std::string Refusal() {
    try {
      Run();
    } catch (const UserError& error) {
      return error.what();
    }
    return "";
  }
  // Killed in the middle of its commit: the journal is written, the first
  // output is moved, the others are not.
  void KillInTheCommitOf(const std::string& stage) {
    const pid_t child = fork();
    if (child == 0) {
      CountFileCallsUnder(workspace_.UnfinishedPath(stage) / "out/sparse/0");
      // The folder and the file in it are made, the file is written: the next
      // is that it is moved.
      KillAtFileCall(5);
      Run();
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    ASSERT_TRUE(fs::exists(workspace_.UnfinishedPath(stage) / "manifest.json"));
    ASSERT_TRUE(fs::exists(root_ / "images"));
    ASSERT_FALSE(fs::exists(root_ / "sparse/0"));
  }
};

TEST_F(CommitTest, LeavesNothingUnfinishedBehind) {
  Run();
  EXPECT_TRUE(fs::is_empty(root_ / ".nerfpipe/tmp"));
  EXPECT_FALSE(HasUnfinished(workspace_, "solve"));
}

TEST_F(CommitTest, FewerFilesLeaveNoneOfTheOldOnes) {
  toy_.options.count = 3;
  Run();
  toy_.options.count = 1;
  Run();
  EXPECT_EQ(Visible(), Fresh());
  EXPECT_FALSE(fs::exists(root_ / ".nerfpipe/saved"));
}

TEST_F(CommitTest, WhatTheUserAlteredIsNumberedAndTold) {
  Run();
  Listener report;
  const char* const mine[] = {"first", "second", "third"};
  for (const char* text : mine) {
    WriteFileAtomically(root_ / "frames/0", text);
    WriteFileAtomically(root_ / "frames/notes.txt", text);
    MakeRunner(report).RunUntil("");
  }
  EXPECT_EQ(Saved("1/frames/0"), "first");
  EXPECT_EQ(Saved("1/frames/notes.txt"), "first");
  EXPECT_EQ(Saved("2/frames/0"), "second");
  EXPECT_EQ(Saved("3/frames/notes.txt"), "third");
  EXPECT_EQ(Visible(), Fresh());
  EXPECT_THAT(report.warnings,
              ElementsAre("frames was changed since cut wrote it; the changed "
                          "one is kept as .nerfpipe/saved/1/frames",
                          HasSubstr("saved/2/frames"),
                          HasSubstr("saved/3/frames")));
  // Another output finds room in the first folder.
  WriteFileAtomically(root_ / "look.txt", "fourth");
  Run();
  EXPECT_EQ(Saved("1/look.txt"), "fourth");
}

TEST_F(CommitTest, OutputsBesideAnAlteredOneAreNotSaved) {
  Run();
  WriteFileAtomically(root_ / "frames/0", "mine");
  Run();
  EXPECT_TRUE(fs::exists(root_ / ".nerfpipe/saved/1/frames"));
  EXPECT_FALSE(fs::exists(root_ / ".nerfpipe/saved/1/cut.json"));
}

// Of what nobody knows whether it is altered, nothing is thrown away.
TEST_F(CommitTest, OutputsOfADamagedRecordAreKept) {
  Run();
  const std::string frame = ReadFile(root_ / "frames/0");
  WriteFileAtomically(workspace_.ManifestPath("cut"), "{");
  EXPECT_THAT(Status(), Contains("cut stale: its record is damaged"));
  EXPECT_EQ(Run().stages_run, 1);
  EXPECT_EQ(Saved("1/frames/0"), frame);
  EXPECT_EQ(Run().stages_run, 0);
}

TEST_F(CommitTest, WhatOthersMadeIsRefusedAndLeft) {
  fs::create_directories(root_ / "sparse/0");
  WriteFileAtomically(root_ / "sparse/0/mine", "mine");
  EXPECT_THAT(Refusal(),
              AllOf(HasSubstr((root_ / "sparse/0").string() +
                              " exists and was not made by nerfpipe"),
                    HasSubstr("move it away")));
  EXPECT_EQ(ReadFile(root_ / "sparse/0/mine"), "mine");
  EXPECT_THAT(Notes(), Not(Contains("begin solve")));
  fs::remove_all(root_ / "sparse/0");
  EXPECT_EQ(Refusal(), "");
  EXPECT_EQ(Visible(), Fresh());
}

TEST_F(CommitTest, FolderOfAnotherMethodMadeByOthersIsRefused) {
  Run();
  fs::create_directories(root_ / "train/y");
  toy_.options.method = "y";
  EXPECT_THAT(Refusal(), HasSubstr("train/y exists and was not made by"));
}

TEST_F(CommitTest, OldOutputThatIsGoneIsNoLongerOurs) {
  Run();
  fs::remove_all(root_ / "train/x");
  toy_.options.method = "y";
  Run();
  fs::create_directories(root_ / "train/x");
  WriteFileAtomically(root_ / "train/x/mine", "mine");
  toy_.options.method = "x";
  EXPECT_THAT(Refusal(), HasSubstr("train/x exists and was not made by"));
}

TEST_F(CommitTest, FilesBesideTheOutputsStay) {
  fs::create_directories(root_ / "train");
  WriteFileAtomically(root_ / "notes.txt", "mine");
  WriteFileAtomically(root_ / "train/notes.txt", "mine too");
  Run();
  EXPECT_EQ(ReadFile(root_ / "notes.txt"), "mine");
  EXPECT_EQ(ReadFile(root_ / "train/notes.txt"), "mine too");
}

TEST_F(CommitTest, CutShortIsEndedByTheNextRunAndNotByALook) {
  KillInTheCommitOf("solve");
  const auto left = Visible();
  EXPECT_EQ(Status()[2], "solve stale: interrupted, will go on");
  EXPECT_EQ(Visible(), left);
  Run();
  EXPECT_THAT(Notes(), Not(Contains("begin solve")));
  EXPECT_EQ(Visible(), Fresh());
}

// Between the kill and the next start the user puts something in its place.
TEST_F(CommitTest, CutShortKeepsWhatTheUserPutThereMeanwhile) {
  KillInTheCommitOf("solve");
  fs::create_directories(root_ / "sparse/0");
  WriteFileAtomically(root_ / "sparse/0/mine", "mine");
  Listener report;
  MakeRunner(report).FinishCommits();
  EXPECT_EQ(Saved("1/sparse/0/mine"), "mine");
  EXPECT_THAT(report.warnings, ElementsAre(HasSubstr("saved/1/sparse/0")));
  Run();
  EXPECT_EQ(Visible(), Fresh());
}

TEST_F(CommitTest, DamagedJournalIsNotTrusted) {
  KillInTheCommitOf("solve");
  const fs::path journal = workspace_.UnfinishedPath("solve") / "manifest.json";
  fs::resize_file(journal, fs::file_size(journal) / 2);
  fs::remove_all(root_ / "images");
  EXPECT_EQ(Status()[2], "solve stale: interrupted, will go on");
  Run();
  EXPECT_EQ(Visible(), Fresh());
}

TEST_F(CommitTest, UnfinishedWorkHasItsFingerprint) {
  PrepareUnfinished(workspace_, "solve", "one");
  const fs::path folder = workspace_.UnfinishedPath("solve");
  WriteFileAtomically(folder / "work/part", "x");
  WriteFileAtomically(folder / "out/half", "x");
  NoteFailure(workspace_, "solve", "no cameras");
  EXPECT_EQ(LastFailure(workspace_, "solve"), "no cameras");
  PrepareUnfinished(workspace_, "solve", "one");
  EXPECT_TRUE(fs::exists(folder / "work/part"));
  EXPECT_TRUE(fs::is_empty(folder / "out"));
  EXPECT_EQ(LastFailure(workspace_, "solve"), "");
  EXPECT_TRUE(HasUnfinished(workspace_, "solve"));
  PrepareUnfinished(workspace_, "solve", "two");
  EXPECT_TRUE(fs::is_empty(folder / "work"));
  EXPECT_TRUE(HasUnfinished(workspace_, "solve"));
  DiscardUnfinished(workspace_, "solve");
  EXPECT_FALSE(HasUnfinished(workspace_, "solve"));
  EXPECT_FALSE(fs::exists(folder));
  DiscardUnfinished(workspace_, "solve");  // there is none
}

}  // namespace
}  // namespace nerfpipe
