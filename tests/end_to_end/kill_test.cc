// kill -9 at random moments of a run, each followed by the same command: the
// files must be those of an undisturbed run (one thread).
//
// NERFPIPE_KILLS sets how often (default 4).

#include "pipeline/base/digest.h"
#include "pipeline/base/random.h"
#include "tests/end_to_end/checkpoint_digests.h"
#include "tests/run_program.h"
#include "tests/temporary_folder.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

// Always the same workspace: some files hold its path.
std::vector<std::string> RunArguments() {
  return {"run",
          "photos",
          "-w",
          "work",
          "--threads",
          "1",
          "--set",
          "train.factor=8",
          "--set",
          "train.steps=120",
          "--set",
          "train.checkpoint_every=20",
          "--set",
          "render.frames=4",
          "--set",
          "render.scale=1"};
}

// Digests of everything that a user sees, save what tells times; of the
// checkpoint, of every tensor.
std::map<std::string, std::string> Files(const fs::path& workspace) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(workspace)) {
    const std::string path =
        entry.path().lexically_relative(workspace).string();
    const bool tells_times = path.rfind(".nerfpipe", 0) == 0 ||
                             path == "summary.json" ||
                             path.find("metrics.jsonl") != std::string::npos;
    if (!entry.is_regular_file() || tells_times) {
      continue;
    }
    if (entry.path().filename() != "checkpoint.pt") {
      files[path] = DigestOfFile(entry.path());
      continue;
    }
    for (const auto& [name, digest] : CheckpointDigests(entry.path())) {
      files[path + ": " + name] = digest;
    }
  }
  return files;
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
  const auto expected = Files(folder / "work");
  fs::rename(folder / "work", folder / "undisturbed");

  const char* const wanted = std::getenv("NERFPIPE_KILLS");
  const int kills = wanted == nullptr ? 4 : std::atoi(wanted);
  Random random(20);
  for (int i = 0; i < kills; ++i) {
    const double moment = random.Uniform(0, seconds / kills * 2);
    const ProgramRun run =
        RunProgramAndKill(folder.path(), RunArguments(), moment);
    std::printf("killed after %.2f s (%d)\n", moment, run.exit_code);
  }
  const ProgramRun last = RunProgram(folder.path(), RunArguments());
  ASSERT_EQ(last.exit_code, 0) << last.err;
  const auto found = Files(folder / "work");
  EXPECT_EQ(found.size(), expected.size());
  for (const auto& [path, digest] : expected) {
    const auto file = found.find(path);
    ASSERT_NE(file, found.end()) << path << " is missing";
    EXPECT_EQ(file->second, digest) << path;
  }
}

}  // namespace
}  // namespace nerfpipe
