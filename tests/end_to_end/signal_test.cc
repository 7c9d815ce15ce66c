// Ctrl-C and SIGTERM in every stage and command: the program stops, says so,
// loses nothing, and the same command ends with the files of an undisturbed run
// (one thread). The moment is the opening of a file, not a time.

#include "data/demo/demo_scene.h"
#include "pipeline/base/atomic_file.h"
#include "stages/media/image_file.h"
#include "tests/end_to_end/visible_files.h"
#include "tests/run_program.h"
#include "tests/scenes/small_captures.h"
#include "tests/temporary_folder.h"

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr char kStopped[] =
    "nerfpipe: stopped; the same command goes on from here";

class Signals : public ::testing::TestWithParam<int> {
 protected:
  // A third of an orbit: few photos, near enough to match.
  void MakeOrbit() const {
    const std::unique_ptr<demo::DemoScene> scene = demo::MakeTestScene();
    const auto cameras = demo::TestOrbit(36, 320, 180);
    fs::create_directories(folder_ / "captures/photos");
    for (size_t i = 0; i < 13; ++i) {
      char name[32];
      std::snprintf(name, sizeof(name), "captures/photos/%02zu.jpg", i + 1);
      WriteImage(RenderView(*scene, cameras[i]).image, folder_ / name);
    }
  }

  // A run that gets the signal when a file is first opened whose path holds
  // this text.
  ProgramRun RunInterrupted(const std::vector<std::string>& arguments,
                            const std::string& at) {
    const std::string done =
        folder_ / ("done " + std::to_string(interrupted_++));
    const ProgramRun run =
        RunProgram({folder_.path(),
                    arguments,
                    {{"LD_PRELOAD", INTERRUPT_LIBRARY},
                     {"INTERRUPT_AT", at},
                     {"INTERRUPT_PROCESS", "PROCESS"},
                     {"INTERRUPT_SIGNAL", std::to_string(GetParam())},
                     {"INTERRUPT_DONE", done}}});
    EXPECT_TRUE(fs::exists(done)) << "nothing was opened at " << at;
    EXPECT_EQ(run.exit_code, 130) << at << "\n" << run.err;
    EXPECT_EQ(LastLine(run), kStopped) << run.err;
    EXPECT_EQ(run.err.find("died"), std::string::npos) << run.err;
    return run;
  }

  ProgramRun RunWhole(const std::vector<std::string>& arguments) const {
    ProgramRun run = RunProgram(folder_.path(), arguments);
    EXPECT_EQ(run.exit_code, 0) << run.err;
    return run;
  }

  const TemporaryFolder folder_;
  int interrupted_ = 0;
};

// "colmap" of the last "[3/9] colmap ..." line.
std::string LastHeading(const std::string& text) {
  const size_t bracket = text.rfind("/9] ");
  if (bracket == std::string::npos) return "";
  const size_t start = bracket + 4;
  return text.substr(start, text.find(' ', start) - start);
}

std::vector<std::string> With(std::vector<std::string> command,
                              const std::vector<std::string>& options) {
  for (const std::string& option : options) {
    command.insert(command.end(), {"--set", option});
  }
  command.insert(command.end(), {"--threads", "1"});
  return command;
}

const std::vector<std::string> kShort = {"train.factor=4",
                                         "train.steps=60",
                                         "train.checkpoint_every=20",
                                         "splat.factor=4",
                                         "splat.steps=60",
                                         "render.method=ngp",
                                         "ngp.batch_samples=1024",
                                         "ngp.log2_table=12",
                                         "render.frames=3",
                                         "render.scale=1"};

TEST_P(Signals, InEachStageEndWithTheSameFiles) {
  MakeOrbit();
  const std::vector<std::string> command =
      With({"run", "captures/photos", "-w", "work"}, kShort);
  RunWhole(command);
  const auto expected = VisibleFiles(folder_ / "work");
  ASSERT_GT(expected.count("renders/video.mp4"), 0);
  fs::rename(folder_ / "work", folder_ / "undisturbed");

  // What each stage opens in the midst of its work; where it writes nothing
  // before the end, when it begins.
  const std::vector<std::pair<std::string, std::string>> moments = {
      {"extract", "tmp/extract/out/frames/00004"},
      {"check", "tmp/check/.key"},
      {"colmap", "tmp/colmap/work/features/"},
      {"poses", "tmp/poses/.key"},
      {"downsample", "tmp/downsample/out/images_4/00003"},
      {"train", "tmp/train/work/checkpoint.pt"},
      {"splat", "tmp/splat/work/checkpoint.pt"},
      {"export", "tmp/export/.key"},
      {"render", "tmp/render/work/unfinished_000001"}};
  // Both signals have one way through the program: the second is tried where a
  // child process works and where a checkpoint is kept.
  const std::set<std::string> of_both = {"colmap", "train"};
  for (const auto& [stage, at] : moments) {
    if (GetParam() == SIGTERM && of_both.count(stage) == 0) continue;
    SCOPED_TRACE(stage);
    const ProgramRun run = RunInterrupted(command, at);
    EXPECT_EQ(LastHeading(run.err), stage) << run.err;
    const ProgramRun status = RunWhole({"status", "-w", "work"});
    EXPECT_THAT(status.out, HasSubstr("interrupted, will go on"));
  }
  RunWhole(command);
  EXPECT_EQ(VisibleFiles(folder_ / "work"), expected);
}

TEST_P(Signals, InCommandsOnDataSetsEndWithTheSameFiles) {
  WriteSmallDataset(folder_ / "set", 10);
  const std::vector<std::string> train =
      With({"train", "-d", "set", "-w", "out"},
           {"train.factor=2",
            "train.steps=60",
            "train.checkpoint_every=20",
            "ngp.batch_samples=1024",
            "ngp.log2_table=12"});
  const std::vector<std::string> eval = {"eval", "-w", "out", "--threads", "1"};
  const std::vector<std::string> render =
      With({"render", "-w", "out", "--path", "orbit", "--frames", "4"},
           {"render.scale=1"});
  for (const auto& command : {train, eval, render}) RunWhole(command);
  const auto expected = VisibleFiles(folder_ / "out");
  ASSERT_GT(expected.count("renders/orbit_depth.mp4"), 0);
  fs::rename(folder_ / "out", folder_ / "undisturbed");

  ProgramRun run = RunInterrupted(train, "train-ngp/work/checkpoint.pt");
  EXPECT_FALSE(fs::exists(folder_ / "out/train"));
  EXPECT_THAT(RunWhole(train).err, HasSubstr("Going on at step 21 of 60."));
  RunInterrupted(eval, "out/eval/ngp/");
  RunWhole(eval);
  RunInterrupted(render, "unfinished_000002");
  EXPECT_FALSE(fs::exists(folder_ / "out/renders"));
  RunWhole(render);
  EXPECT_EQ(VisibleFiles(folder_ / "out"), expected);
}

TEST_P(Signals, StopABatchWithItsRun) {
  WritePhotos(folder_ / "captures/a", 9);
  WriteFileAtomically(folder_ / "captures/b.mp4", "not a video");
  const std::vector<std::string> command =
      With({"batch", "captures", "-w", "results"}, {});
  const ProgramRun run =
      RunInterrupted(command, "results/a/.nerfpipe/tmp/extract/out/frames/");
  EXPECT_EQ(run.err.find("2 of 2"), std::string::npos) << run.err;
  // The run was told, and said so before the batch did.
  EXPECT_LT(run.err.find(kStopped), run.err.rfind(kStopped)) << run.err;
  EXPECT_FALSE(fs::exists(folder_ / "results/b"));
  const ProgramRun again = RunProgram(folder_.path(), command);
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.err, HasSubstr("2 of 2"));
}

INSTANTIATE_TEST_SUITE_P(Signal,
                         Signals,
                         ::testing::Values(SIGINT, SIGTERM),
                         [](const auto& signal) {
                           return signal.param == SIGINT ? "Interrupt"
                                                         : "Terminate";
                         });

}  // namespace
}  // namespace nerfpipe
