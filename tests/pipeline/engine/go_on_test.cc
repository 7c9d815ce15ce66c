// Going on after an interrupt, a failure or a kill, with and without something
// changed.

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "tests/pipeline/engine/edit_in_place.h"
#include "tests/pipeline/engine/toy_workspace.h"
#include "tests/preload/file_calls.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class GoOn : public ToyWorkspace {
 protected:
  void ExpectAsFresh() {
    EXPECT_TRUE(Run().ok);
    const std::vector<std::string> notes = Notes();
    EXPECT_EQ(Visible(), Fresh());
    Run();
    EXPECT_THAT(Notes(), Not(Contains("begin cut")));
    fs::remove(toy_.notes);
    std::ofstream again(toy_.notes);
    for (const std::string& note : notes) {
      again << note << "\n";
    }
  }
};

TEST_F(GoOn, NothingChangedKeepsFinishedParts) {
  RunInterrupted("solve", 1);
  EXPECT_THAT(Status(),
              ElementsAre("cut done",
                          "look done",
                          "solve stale: interrupted, will go on",
                          "train waiting: after solve",
                          "render waiting: after solve"));
  Run("solve");
  EXPECT_THAT(Notes(), ElementsAre("begin solve", "part solve 2", "end solve"));
  ExpectAsFresh();
}

TEST_F(GoOn, OptionWithoutEffectKeepsFinishedParts) {
  RunInterrupted("solve", 1);
  toy_.options.speed = 5;
  Run("solve");
  EXPECT_THAT(Notes(), ElementsAre("begin solve", "part solve 2", "end solve"));
}

TEST_F(GoOn, OptionOfAnotherStageKeepsFinishedParts) {
  RunInterrupted("solve", 1);
  toy_.options.scale = 2;
  Run("solve");
  EXPECT_THAT(Notes(), ElementsAre("begin solve", "part solve 2", "end solve"));
}

TEST_F(GoOn, ChangedOptionStartsFromScratch) {
  RunInterrupted("solve", 1);
  toy_.options.seed = 1;
  Run("solve");
  EXPECT_THAT(Notes(),
              ElementsAre("begin solve",
                          "part solve 0",
                          "part solve 1",
                          "part solve 2",
                          "end solve"));
  ExpectAsFresh();
}

TEST_F(GoOn, OptionTakenBackKeepsFinishedParts) {
  RunInterrupted("solve", 1);
  toy_.options.seed = 1;
  Status();
  toy_.options.seed = 0;
  Run("solve");
  EXPECT_THAT(Notes(), ElementsAre("begin solve", "part solve 2", "end solve"));
}

TEST_F(GoOn, PartsOfEarlierOptionsAreNotDugOut) {
  RunInterrupted("solve", 1);
  toy_.options.seed = 1;
  RunInterrupted("solve", 0);
  toy_.options.seed = 0;
  Run("solve");
  EXPECT_THAT(Notes(), Contains("part solve 0"));
  ExpectAsFresh();
}

TEST_F(GoOn, ChangedCaptureStartsFromScratch) {
  RunInterrupted("cut", 0);
  std::ofstream(capture_ / "3.jpg") << "photo 3";
  Run("cut");
  EXPECT_THAT(Notes(), Contains("part cut 0"));
  ExpectAsFresh();
}

TEST_F(GoOn, CaptureEditedInPlaceStartsFromScratch) {
  RunInterrupted("cut", 0);
  EditInPlace(capture_ / "1.jpg", "PHOTO 1");
  Run("cut");
  EXPECT_THAT(Notes(), Contains("part cut 0"));
  ExpectAsFresh();
}

TEST_F(GoOn, ChangedInputOfAnotherStageStartsFromScratch) {
  RunInterrupted("train", 1);
  toy_.options.seed = 1;  // makes other images
  Run();
  EXPECT_THAT(Notes(), Contains("part train 0"));
  ExpectAsFresh();
}

TEST_F(GoOn, NewerStageStartsFromScratch) {
  RunInterrupted("train", 1);
  toy_.version = 2;
  Run("train");
  EXPECT_THAT(Notes(), Contains("part train 0"));
  toy_.version = 3;
  EXPECT_THAT(
      Status(),
      Contains("train stale: the stage itself is newer (version 2, now 3)"));
}

TEST_F(GoOn, CaptureEditedInPlaceIsSeenAfterACompleteRun) {
  Run();
  EditInPlace(capture_ / "2.jpg", "PHOTO 2");
  EXPECT_THAT(Status(), Contains("cut stale: the capture changed"));
  ExpectAsFresh();
}

TEST_F(GoOn, OutputEditedInPlaceIsMadeAgainAndKept) {
  Run();
  std::string text = ReadFile(root_ / "images/1");
  text[0] = '!';
  EditInPlace(root_ / "images/1", text);
  EXPECT_THAT(Status(), Contains("solve stale: output images was altered"));
  ExpectAsFresh();
  EXPECT_EQ(ReadFile(root_ / ".nerfpipe/saved/1/images/1"), text);
}

// The folder of the other method stays, and stays ours.
TEST_F(GoOn, MethodsMayBeChangedToAndFro) {
  Run();
  const FileTree x = ReadTree(root_ / "train/x");
  toy_.options.method = "y";
  Run();
  const FileTree y = ReadTree(root_ / "train/y");
  EXPECT_EQ(ReadTree(root_ / "train/x"), x);
  toy_.options.method = "x";
  EXPECT_THAT(Status(),
              Contains("train stale: option train.method changed from y to x"));
  Run();
  EXPECT_EQ(ReadTree(root_ / "train/x"), x);
  EXPECT_EQ(ReadTree(root_ / "train/y"), y);
  toy_.options.method = "y";
  Run();
  EXPECT_FALSE(fs::exists(root_ / ".nerfpipe/saved"));
  EXPECT_EQ(ReadTree(root_ / "train/y"), y);
}

TEST_F(GoOn, OptionsOfTheOtherMethodDoNotCount) {
  Run();
  toy_.options.y_steps = 4;
  Run();
  EXPECT_THAT(Notes(), IsEmpty());
  toy_.options.x_steps = 3;
  EXPECT_THAT(Status(),
              Contains("train stale: option x.steps changed from 2 "
                       "to 3"));
}

TEST_F(GoOn, FailedStageKeepsItsPartsAndTellsWhy) {
  toy_.disturbance = {Kind::kFailure, "solve", 2};
  EXPECT_EQ(Run().failed_stage, "solve");
  EXPECT_THAT(Status(), Contains("solve stale: failed: solve cannot"));
  toy_.disturbance = {Kind::kUserError, "solve", 2};
  EXPECT_THROW(Run(), UserError);
  EXPECT_THAT(Status(),
              Contains("solve stale: failed: solve will not; feed it better"));
  toy_.disturbance = {};
  Run("solve");
  EXPECT_THAT(Notes(), ElementsAre("begin solve", "part solve 2", "end solve"));
}

// The run after the failure was killed: that it failed is no longer true.
TEST_F(GoOn, KillAfterAFailureIsTold) {
  toy_.disturbance = {Kind::kFailure, "solve", 2};
  Run();
  toy_.disturbance = {};
  const pid_t child = fork();
  if (child == 0) {
    CountFileCallsUnder(root_ / ".nerfpipe/tmp/solve/out/images");
    KillAtFileCall(1);
    Run();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_THAT(Status(), Contains("solve stale: interrupted, will go on"));
  Run("solve");
  EXPECT_THAT(Notes(), ElementsAre("begin solve", "end solve"));
}

TEST_F(GoOn, FailureUnderOptionsTakenBackIsForgotten) {
  Run();
  toy_.options.seed = 1;
  toy_.disturbance = {Kind::kFailure, "solve", 0};
  Run();
  EXPECT_EQ(MakeRunner().Summary()["stages"]["solve"]["state"], "failed");
  EXPECT_EQ(MakeRunner().Summary()["stages"]["solve"]["failure"],
            "solve cannot");
  toy_.options.seed = 0;
  EXPECT_EQ(MakeRunner().Summary()["stages"]["solve"]["state"], "done");
  EXPECT_FALSE(MakeRunner().Summary()["stages"]["solve"].contains("failure"));
}

// Killed before every call that changes a file; each time gone on with.
TEST_F(GoOn, KillAtAnyCallLosesNothing) {
  toy_.options.mark = "old";
  Run();
  const fs::path old = folder_ / "old";
  fs::copy(root_, old, fs::copy_options::recursive);
  toy_.options.mark = "new";
  const FileTree expected = Fresh();
  int kills = 0;
  for (bool killed = true; killed;) {
    fs::remove_all(root_);
    fs::copy(old, root_, fs::copy_options::recursive);
    const pid_t child = fork();
    if (child == 0) {
      CountFileCallsUnder(root_);
      KillAtFileCall(kills + 1);
      Run();
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    killed = WIFSIGNALED(status);
    ASSERT_TRUE(killed || status == 0);
    kills += killed;
    Run();
    ASSERT_EQ(Visible(), expected) << "killed at call " << kills;
    ASSERT_FALSE(fs::exists(root_ / ".nerfpipe/saved")) << kills;
    Run();
    ASSERT_THAT(Notes(), IsEmpty()) << kills;
  }
  EXPECT_GT(kills, 100);
}

}  // namespace
}  // namespace nerfpipe
