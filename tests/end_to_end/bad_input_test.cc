// Bad input gives one clear line and the exit code of docs/WORKSPACE.md, and
// loses nothing.

#include "pipeline/base/atomic_file.h"
#include "stages/media/image_file.h"
#include "tests/real_data.h"
#include "tests/run_program.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class BadInput : public ::testing::Test {
 protected:
  // The last line on the error stream must be a "nerfpipe: ..." line with this
  // part, the only one, and there must be no trace of a crash.
  void ExpectLine(const std::vector<std::string>& arguments,
                  int exit_code,
                  const std::string& part,
                  const std::string& program = BuiltProgram()) {
    ProgramCall call = {folder_.path(), arguments};
    call.program = program;
    const ProgramRun run = RunProgram(call);
    EXPECT_EQ(run.exit_code, exit_code) << run.err;
    EXPECT_THAT(run.err, ::testing::Not(HasSubstr("terminate called")));
    EXPECT_THAT(run.err, ::testing::Not(HasSubstr("internal error")));
    const std::string line = LastLine(run);
    EXPECT_THAT(line, StartsWith("nerfpipe: "));
    EXPECT_THAT(line, HasSubstr(part));
    EXPECT_EQ(run.err.find("nerfpipe: "), run.err.rfind("nerfpipe: "));
  }

  TemporaryFolder folder_;
};

TEST_F(BadInput, Usage) {
  ExpectLine({"rnu", "x"}, 2, "there is no command 'rnu', did you mean 'run'?");
  ExpectLine({"run"}, 2, "there is no capture");
  ExpectLine({"run", "no.mp4"}, 2, "there is no file or folder 'no.mp4'");
  ExpectLine({"run", "x.mp4", "--frobnicate"}, 2, "--frobnicate");
  ExpectLine({"stage", "colmpa", "-w", "."}, 2, "did you mean 'colmap'?");
  ExpectLine({"status", "-w", "nothing"}, 2, "is not a nerfpipe workspace");
  ExpectLine(
      {"config", "--set", "train.stpes=3"}, 2, "did you mean 'train.steps'?");
  ExpectLine(
      {"config", "--set", "train.llffhold=many"}, 2, "needs a whole number");
  ExpectLine({"config", "--config", "carr"}, 2, "did you mean 'car'?");
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(BadInput, CapturesThatAreNone) {
  WriteFileAtomically(folder_ / "empty.mp4", "");
  ExpectLine({"run", "empty.mp4"}, 1, "empty.mp4");
  WriteFileAtomically(folder_ / "text.mp4", "this is not a video at all\n");
  ExpectLine({"run", "text.mp4"}, 1, "text.mp4");
  fs::create_directories(folder_ / "nothing here");
  ExpectLine({"run", "nothing here", "-w", "w"}, 1, "nothing here");
  fs::create_directories(folder_ / "three");
  for (const char* const name : {"1.jpg", "2.jpg", "3.jpg"}) {
    Image image(64, 48, 3);
    // Of copies one counts.
    std::fill(image.pixels.begin(), image.pixels.end(), 4 * (name[0] - '0'));
    WriteImage(image, folder_ / "three" / name);
  }
  ExpectLine({"run", "three", "-w", "w3"},
             1,
             "only 3 of 3 frames can be used, and at least 8 are needed");
}

// The trainer is a file of its own, for which nobody waits who does not train.
TEST_F(BadInput, ProgramThatWasCopiedWithoutItsTrainer) {
  const fs::path program = folder_ / "bin/nerfpipe";
  fs::create_directories(folder_ / "bin");
  fs::copy_file(BuiltProgram(), program);
  WriteFileAtomically(folder_ / "car.mp4", "x");
  fs::create_directories(folder_ / "data");
  const std::string missing = "the trainer is missing: there is neither " +
                              (folder_ / "bin/nerfpipe-trainer.so").string();
  ExpectLine({"train", "-d", "data", "-w", "out"}, 1, missing, program);
  // The presets come with it.
  ExpectLine({"config", "--config", "carr"}, 2, "did you mean 'car'?", program);
  // Before hours are spent on cameras.
  ExpectLine({"run", "car.mp4"}, 1, missing, program);
  ExpectLine({"run", "car.mp4", "--until", "colmap"}, 1, "car.mp4", program);
  // What is there and is none.
  WriteFileAtomically(folder_ / "bin/nerfpipe-trainer.so", "not a library");
  ExpectLine({"train", "-d", "data", "-w", "out"},
             1,
             "the trainer cannot be loaded: " +
                 (folder_ / "bin/nerfpipe-trainer.so").string(),
             program);
}

TEST_F(BadInput, ForeignFolderIsNotTouched) {
  fs::create_directories(folder_ / "precious");
  WriteFileAtomically(folder_ / "precious/letter.txt", "mine");
  WriteFileAtomically(folder_ / "car.mp4", "x");
  ExpectLine({"run", "car.mp4", "-w", "precious"},
             2,
             "exists and is not a nerfpipe workspace");
  EXPECT_EQ(ReadFile(folder_ / "precious/letter.txt"), "mine");
  EXPECT_FALSE(fs::exists(folder_ / "precious/.nerfpipe"));
}

TEST_F(BadInput, MistakeInTheConfigurationFileNamesItsLine) {
  WriteFileAtomically(folder_ / "mine.yaml", "train:\n  stepz: 4\n");
  ExpectLine({"config", "--config", "mine.yaml"},
             2,
             "mine.yaml:2: there is no option 'train.stepz', did you mean "
             "'train.steps'?");
}

// No decoder, audio only, truncated beyond reading, broken boxes: each one
// clear line. The readable ones end as too short or too still, also with one.
TEST_F(BadInput, RealBadVideos) {
  NERFPIPE_NEEDS_REAL_DATA();
  for (const char* const name :
       {"bad/video/audio_only.mp4",
        "bad/video/vvc_unsupported_codec.mp4",
        "bad/video_from_beer/beer_truncated_no_moov.mp4"}) {
    const std::string path = RealData() / name;
    ExpectLine({"run", path, "--until", "extract"},
               1,
               fs::path(name).filename().string());
  }
}

TEST_F(BadInput, DatasetsThatAreNone) {
  fs::create_directories(folder_ / "data");
  ExpectLine({"train", "-d", "data", "-w", "out"}, 1, "data");
  WriteFileAtomically(folder_ / "data/poses_bounds.npy", "\x93NUMPY junk");
  ExpectLine({"train", "-d", "data", "-w", "out"}, 1, "poses_bounds.npy");
  ExpectLine({"render", "-w", "data"}, 1, "data");
}

}  // namespace
}  // namespace nerfpipe
