// kill -9 at random moments of a run, each followed by the same command: the
// files must be those of an undisturbed run (one thread).
//
// NERFPIPE_KILLS sets how often (default 3).

#include "pipeline/base/random.h"
#include "tests/end_to_end/visible_files.h"
#include "tests/run_program.h"
#include "tests/temporary_folder.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

// Always the same workspace: some files hold its path.
std::vector<std::string> RunArguments() {
  return {"run",       "photos",
          "-w",        "work",
          "--threads", "1",
          "--set",     "train.factor=8",
          "--set",     "train.steps=120",
          "--set",     "train.checkpoint_every=20",
          "--set",     "splat.factor=8",
          "--set",     "splat.steps=120",
          "--set",     "render.frames=4",
          "--set",     "render.scale=1"};
}

// Part of an orbit as photos: few enough to be quick, near enough to match.
void MakePhotos(const fs::path& folder) {
  const ProgramRun extract = RunProgram(folder,
                                        {"run",
                                         NERFPIPE_DEMO,
                                         "-w",
                                         "clip",
                                         "--until",
                                         "extract",
                                         "--set",
                                         "extract.every=4"});
  ASSERT_EQ(extract.exit_code, 0) << extract.err;
  std::set<fs::path> frames;
  for (const auto& entry : fs::directory_iterator(folder / "clip/frames")) {
    frames.insert(entry.path());
  }
  ASSERT_GT(frames.size(), 14);
  fs::create_directories(folder / "photos");
  auto frame = frames.begin();
  for (int i = 0; i < 14; ++i, ++frame) {
    fs::copy(*frame, folder / "photos" / frame->filename());
  }
}

TEST(Kill, AtRandomMomentsEndsWithTheSameFiles) {
  const TemporaryFolder folder;
  MakePhotos(folder.path());
  const auto start = std::chrono::steady_clock::now();
  const ProgramRun whole = RunProgram(folder.path(), RunArguments());
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  const auto expected = VisibleFiles(folder / "work");
  fs::rename(folder / "work", folder / "undisturbed");

  const char* const wanted = std::getenv("NERFPIPE_KILLS");
  const int kills = wanted == nullptr ? 3 : std::atoi(wanted);
  Random random(20);
  for (int i = 0; i < kills; ++i) {
    const double moment = random.Uniform(0, seconds / kills * 2);
    const ProgramRun run =
        RunProgramAndKill(folder.path(), RunArguments(), moment);
    std::printf("killed after %.2f s (%d)\n", moment, run.exit_code);
  }
  const ProgramRun last = RunProgram(folder.path(), RunArguments());
  ASSERT_EQ(last.exit_code, 0) << last.err;
  const auto found = VisibleFiles(folder / "work");
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace nerfpipe
