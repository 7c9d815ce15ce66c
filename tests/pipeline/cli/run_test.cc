// run, check, stage and status.

#include "tests/pipeline/cli/command_test.h"

#include <cstdio>
#include <future>
#include <map>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::ContainsRegex;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

class RunCommand : public CommandTest {
 protected:
  // By stage.
  std::map<std::string, std::string> States(const std::string& workspace) {
    std::map<std::string, std::string> states;
    const nlohmann::json found = Json({"status", "-w", workspace});
    for (const auto& [stage, status] : found.items()) {
      states[stage] = status.at("state");
    }
    return states;
  }

  // Every file of a folder, with its size and time.
  std::map<std::string, std::pair<uintmax_t, fs::file_time_type>> Listing(
      const std::string& folder) const {
    std::map<std::string, std::pair<uintmax_t, fs::file_time_type>> files;
    for (const auto& entry :
         fs::recursive_directory_iterator(folder_ / folder)) {
      if (entry.is_regular_file()) {
        files[entry.path()] = {entry.file_size(), entry.last_write_time()};
      }
    }
    return files;
  }
};

// As people read them: three figures.
std::string Megabytes(double megabytes) {
  char text[32];
  std::snprintf(
      text, sizeof(text), megabytes < 100 ? "%.1f MB" : "%.0f MB", megabytes);
  return text;
}

const std::map<std::string, std::string> kOnlyExtracted = {
    {"extract", "done"},
    {"check", "to do"},
    {"colmap", "waits"},
    {"poses", "waits"},
    {"downsample", "waits"},
    {"train", "waits"},
    {"splat", "waits"},
    {"export", "waits"},
    {"render", "waits"}};

TEST_F(RunCommand, StopsAfterTheStageOfUntil) {
  WriteClip(folder_ / "walk.v2.mp4", 14);
  const ProgramRun run = Run(
      {"run", "walk.v2.mp4", "--until", "extract", "--set", "extract.every=1"});
  EXPECT_THAT(run.err, HasSubstr("walk.v2.mp4 -> walk.v2/"));
  EXPECT_THAT(run.err, HasSubstr("14 of 14 frames of the video"));
  EXPECT_THAT(run.err, Not(HasSubstr("[2/9]")));
  EXPECT_EQ(States("walk.v2"), kOnlyExtracted);
  EXPECT_TRUE(Exists("walk.v2/frames/00014.jpg"));
  EXPECT_FALSE(Exists("walk.v2/capture.json"));
  EXPECT_FALSE(Exists("walk.v2/.nerfpipe/tmp/colmap"));

  // One further, on the workspace alone, given as a capture too.
  const nlohmann::json summary = Json({"run", "walk.v2", "--until", "check"});
  EXPECT_EQ(summary.at("frames").at("extracted"), 14);
  EXPECT_EQ(summary.at("stages").at("check").at("state"), "done");
  EXPECT_EQ(summary.at("stages").at("colmap").at("state"), "not run");
  EXPECT_EQ(summary,
            nlohmann::json::parse(ReadFile(folder_ / "walk.v2/summary.json")));
  const auto before = Listing("walk.v2");
  const ProgramRun again = Run({"run", "-w", "walk.v2", "--until", "check"});
  EXPECT_THAT(again.err, HasSubstr("Nothing to do: walk.v2 is up to date."));
  const auto after = Listing("walk.v2");
  for (const auto& [path, file] : before) {
    // Files are remembered there once they have been left alone for a while.
    const bool remembers = path.ends_with("digests.json");
    if (!path.ends_with("nerfpipe.log") && !path.ends_with("/lock") &&
        !remembers) {
      EXPECT_EQ(after.at(path), file) << path;
    }
  }
}

TEST_F(RunCommand, DefaultWorkspaceIsNamedAfterTheCapture) {
  WritePhotos(folder_ / "photos", 1);
  WritePhotos(folder_ / "far away/fern", 1);
  const auto workspace = [&](const std::string& capture) {
    const std::string err = Run({"run", capture, "--until", "extract"}).err;
    const size_t arrow = err.find(" -> ") + 4;
    return err.substr(arrow, err.find("/\n", arrow) - arrow);
  };
  // Not the photos' own folder, however it is written.
  EXPECT_EQ(workspace("photos"), "photos-nerf");
  EXPECT_EQ(workspace("photos/"), "photos-nerf");
  EXPECT_EQ(workspace("./photos//"), "photos-nerf");
  EXPECT_EQ(workspace("far away/fern/"), "fern");
  EXPECT_TRUE(Exists("fern/frames"));
  EXPECT_FALSE(Exists("photos/.nerfpipe"));
  // What lies elsewhere is shown by its whole path.
  const TemporaryFolder elsewhere;
  WritePhotos(elsewhere / "lion", 1);
  EXPECT_THAT(Run({"run", elsewhere / "lion", "--until", "extract"}).err,
              HasSubstr((elsewhere / "lion").string() + " -> lion/\n"));
}

// The workspace lies in the capture then, and is none of it. Bytes of its name
// that are no UTF-8 stay what they are.
TEST_F(RunCommand, OfTheCurrentFolderIsUpToDateTheSecondTime) {
  const std::string photos = "ph\xf6tos";
  WritePhotos(folder_ / photos, 9);
  const auto run = [&] {
    return RunProgram((folder_ / photos).string(),
                      {"run", ".", "--until", "check"});
  };
  const ProgramRun first = run();
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_TRUE(Exists(photos + "/" + photos + "/capture.json"));
  const ProgramRun second = run();
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_THAT(second.err, HasSubstr("Nothing to do"));
  EXPECT_EQ(States(photos + "/" + photos).at("check"), "done");
}

TEST_F(RunCommand, TimeAndDeterministicAreOptionsOfTraining) {
  WritePhotos(folder_ / "photos", 1);
  const auto run = [&](const Words& flags) {
    Words words = {"run", "photos", "-w", "w", "--until", "extract"};
    words.insert(words.end(), flags.begin(), flags.end());
    Run(words);
  };
  run({"--time", "1.5h"});
  EXPECT_EQ(Value("train.time", {"-w", "w"}), "5400");
  EXPECT_EQ(Value("splat.time", {"-w", "w"}), "5400");
  EXPECT_FALSE(Saved("w", "deterministic: yes"));
  run({"--time", "5m", "--deterministic"});
  EXPECT_TRUE(Saved("w", "time: 300"));
  EXPECT_TRUE(Saved("w", "deterministic: yes"));
  run({"--time", "90s"});
  EXPECT_TRUE(Saved("w", "time: 90"));
  EXPECT_TRUE(Saved("w", "deterministic: yes"));
}

TEST_F(RunCommand, CheckStopsAfterTheReportCard) {
  WritePhotos(folder_ / "photos", 9);
  const ProgramRun run = Run({"check", "photos"});
  const nlohmann::json summary =
      nlohmann::json::parse(ReadFile(folder_ / "photos-nerf/summary.json"));
  EXPECT_EQ(summary.at("frames").at("kept"), 9);
  // The last table has the figures of the summary.
  EXPECT_THAT(run.err, ContainsRegex("stage +state +time +memory"));
  for (const char* stage : {"extract", "check"}) {
    const double megabytes =
        summary.at("stages").at(stage).at("peak_memory_mb");
    EXPECT_THAT(run.err,
                ContainsRegex(std::string(stage) + " +done +[0-9.]+ s +" +
                              Megabytes(megabytes)));
  }
  EXPECT_THAT(run.err, ContainsRegex("colmap +not run +- +-"));
  std::string concerns;
  for (const auto& item : summary.at("check").at("items")) {
    if (item.at("verdict") != "good") {
      concerns += (concerns.empty() ? "" : ", ") + std::string(item.at("item"));
    }
  }
  ASSERT_NE(concerns, "");
  EXPECT_THAT(run.err,
              ContainsRegex("capture +" +
                            std::string(summary.at("check").at("verdict")) +
                            " \\(" + concerns + "\\)\n"));
  EXPECT_GE(summary.at("check").at("items").size(), 4);
  EXPECT_EQ(summary.at("results").at("check"), "check.html");
  EXPECT_TRUE(Exists("photos-nerf/check.html"));
  EXPECT_EQ(States("photos-nerf").at("check"), "done");
  EXPECT_EQ(States("photos-nerf").at("colmap"), "to do");
  EXPECT_EQ(summary.at("stages").at("check").at("seconds").is_number(), true);
  EXPECT_THAT(LastLine(Run({"check"}, 2)), HasSubstr("there is no capture"));
}

TEST_F(RunCommand, StageIsDoneAgainAndRefusedWhereItWouldWait) {
  WritePhotos(folder_ / "photos", 9);
  Run({"check", "photos", "-w", "w"});
  const auto before = fs::last_write_time(folder_ / "w/capture.json");
  const ProgramRun again = Run({"stage", "check", "-w", "w"});
  EXPECT_THAT(again.err, ContainsRegex("\\[2/9\\] check .*\\(asked for\\)"));
  EXPECT_THAT(again.err, Not(HasSubstr("[1/9]")));
  EXPECT_GT(fs::last_write_time(folder_ / "w/capture.json"), before);

  const nlohmann::json changed =
      Json({"stage", "check", "-w", "w", "--set", "check.blur=0.3"});
  EXPECT_EQ(changed.at("stages").at("check").at("state"), "done");
  EXPECT_TRUE(Saved("w", "blur: 0.3"));
  EXPECT_EQ(States("w").at("check"), "done") << "by the workspace's options";
  EXPECT_THAT(
      LastLine(
          Run({"stage", "train", "-w", "w", "--set", "train.factor=5"}, 2)),
      HasSubstr("stage train reads images_5, which no stage before it makes"));
  EXPECT_FALSE(Saved("w", "factor: 5")) << "what was refused is not kept";
  EXPECT_THAT(
      LastLine(Run({"stage", "poses", "-w", "w"}, 1)),
      HasSubstr("stage poses can only run after colmap, which is not up to"));
  EXPECT_THAT(LastLine(Run({"stage", "check"}, 2)),
              HasSubstr("'stage' needs a workspace"));
  EXPECT_THAT(LastLine(Run({"stage"}, 2)),
              HasSubstr("'nerfpipe stage --help' shows how it is used"));
}

TEST_F(RunCommand, StatusSaysWhatWouldRunAndWhy) {
  WritePhotos(folder_ / "photos", 9);
  Run({"check", "photos", "-w", "w"});
  const std::string table = Run({"status", "-w", "w"}).out;
  EXPECT_THAT(table, HasSubstr("photos -> w/\n"));
  EXPECT_THAT(table, ContainsRegex("extract +done .* 9 photos"));
  EXPECT_THAT(table, ContainsRegex("colmap +to do +- +never run"));
  EXPECT_THAT(table, ContainsRegex("poses +waits +- +after colmap"));
  const auto before = Listing("w");
  const nlohmann::json status =
      Json({"status", "-w", "w", "--set", "check.blur=0.2"});
  EXPECT_EQ(status.at("check").at("state"), "to do");
  EXPECT_EQ(status.at("check").at("reasons"),
            nlohmann::json({"option check.blur changed from 0.4 to 0.2"}));
  EXPECT_EQ(status.at("colmap").at("reasons"), nlohmann::json({"after check"}));
  EXPECT_EQ(status.at("extract").at("result"), "9 photos");
  EXPECT_EQ(Listing("w"), before) << "status writes nothing";
  EXPECT_THAT(LastLine(Run({"status"}, 2)),
              HasSubstr("'status' needs a workspace"));
}

// A commit that was cut short is ended by who holds the lock, not by status,
// which may look on while another process works.
TEST_F(RunCommand, StatusLeavesACommitThatWasCutShort) {
  WritePhotos(folder_ / "photos", 9);
  Run({"check", "photos", "-w", "w"});
  const fs::path unfinished = folder_ / "w/.nerfpipe/tmp/check";
  fs::create_directories(unfinished / "out");
  fs::rename(folder_ / "w/capture.json", unfinished / "out/capture.json");
  fs::rename(folder_ / "w/.nerfpipe/check.json", unfinished / "manifest.json");
  const auto before = Listing("w");
  EXPECT_EQ(States("w").at("check"), "to do");
  EXPECT_EQ(Listing("w"), before);
  const ProgramRun run = Run({"run", "-w", "w", "--until", "check"});
  EXPECT_THAT(run.err, HasSubstr("Nothing to do"));
  EXPECT_TRUE(Exists("w/capture.json"));
  EXPECT_FALSE(fs::exists(unfinished));
}

// All but those that only look.
TEST_F(RunCommand, CommandsOnAWorkspaceInUseAreRefused) {
  WritePhotos(folder_ / "photos", 9);
  Run({"check", "photos", "-w", "w"});
  const std::string lock = folder_ / "w/.nerfpipe/lock";
  WriteFileAtomically(lock, "4711");
  const int file = open(lock.c_str(), O_RDWR);
  ASSERT_EQ(flock(file, LOCK_EX | LOCK_NB), 0);
  const auto before = Listing("w");
  std::vector<std::future<ProgramRun>> refused;
  for (Words command : std::vector<Words>{{"run"},
                                          {"check"},
                                          {"stage", "check"},
                                          {"train", "-d", "photos"},
                                          {"render"},
                                          {"export", "splats"},
                                          {"eval"},
                                          {"clean", "--yes"}}) {
    command.insert(command.end(), {"-w", "w"});
    refused.push_back(std::async(std::launch::async, [this, command] {
      return RunProgram(folder_.path(), command);
    }));
  }
  EXPECT_EQ(States("w").at("check"), "done");
  Run({"config", "-w", "w"});
  for (std::future<ProgramRun>& command : refused) {
    const ProgramRun run = command.get();
    EXPECT_EQ(run.exit_code, 1);
    EXPECT_THAT(LastLine(run),
                HasSubstr("/w is in use by process 4711; wait until"));
  }
  EXPECT_EQ(Listing("w"), before);
  close(file);
}

}  // namespace
}  // namespace nerfpipe
