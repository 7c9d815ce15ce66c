// Many captures, one after the other.

#include "data/demo/demo_scene.h"
#include "stages/media/image_file.h"
#include "tests/pipeline/cli/command_test.h"

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Batch : public CommandTest {
 protected:
  void WriteBroken(const std::string& name) const {
    fs::create_directories((folder_ / name).parent_path());
    WriteFileAtomically(folder_ / name, "not a video");
  }

  // Names of captures, workspaces and states in batch.json.
  static std::vector<std::string> Outcomes(const nlohmann::json& batch) {
    std::vector<std::string> outcomes;
    for (const auto& capture : batch) {
      outcomes.push_back(
          fs::path(std::string(capture.at("capture"))).filename().string() +
          " in " + std::string(capture.at("workspace")) + ": " +
          std::string(capture.at("state")));
    }
    return outcomes;
  }
};

TEST_F(Batch, TakesEveryCaptureAndGoesOnAfterAFailure) {
  fs::create_directories(folder_ / "captures");
  WriteBroken("captures/b.MP4");
  WriteBroken("captures/a.mov");
  WriteBroken("captures/a.mkv");
  WriteBroken("captures/.hidden.mp4");
  WriteBroken("captures/notes.txt");
  WritePhotos(folder_ / "captures/few", 2);
  WritePhotos(folder_ / "captures/.thumbnails", 2);
  fs::create_directories(folder_ / "captures/nothing");
  // A workspace that lies among the captures.
  WritePhotos(folder_ / "captures/done", 1);
  fs::create_directories(folder_ / "captures/done/.nerfpipe");
  WriteFileAtomically(folder_ / "captures/done/.nerfpipe/workspace.json",
                      "{\"format\": 1, \"capture\": \"/nowhere\"}");

  const ProgramRun run = Run({"batch", "captures", "-w", "results"}, 1);
  const nlohmann::json batch =
      nlohmann::json::parse(ReadFile(folder_ / "results/batch.json"));
  EXPECT_THAT(Outcomes(batch),
              ElementsAre("a.mkv in results/a: failed",
                          "a.mov in results/a.mov-nerf: failed",
                          "b.MP4 in results/b: failed",
                          "few in results/few: failed"));
  EXPECT_EQ(batch.at(3).at("summary").at("frames").at("extracted"), 2);
  EXPECT_TRUE(batch.at(0).at("seconds").is_number());
  for (int i = 1; i <= 4; ++i) {
    EXPECT_THAT(run.err, HasSubstr("--- " + std::to_string(i) + " of 4: "));
  }
  EXPECT_THAT(run.err, HasSubstr("--- 4 of 4: captures/few"));
  EXPECT_THAT(run.err,
              ContainsRegex("few +failed +.* s +- +- +only 2 of 2 frames"));
  EXPECT_THAT(run.err, ContainsRegex("b.MP4 +failed +.* s +- +- .*b.MP4"));
  EXPECT_THAT(run.err, HasSubstr("all figures: results/batch.json"));
  EXPECT_TRUE(Exists("results/a.mov-nerf/summary.json"));
}

TEST_F(Batch, HandsEveryFlagOn) {
  WritePhotos(folder_ / "captures/few", 2);
  WriteFileAtomically(folder_ / "mine.yaml", "train:\n  seed: 12\n");
  const Words batch = {"batch", "captures"};
  const auto with = [&](const Words& flags) {
    Words all = batch;
    all.insert(all.end(), flags.begin(), flags.end());
    return Run(all, 1);
  };
  const ProgramRun verbose = with({"--config",
                                   "mine.yaml",
                                   "--set",
                                   "train.factor=2",
                                   "--set",
                                   "render.frames=7",
                                   "--threads",
                                   "1",
                                   "--mem",
                                   "777M",
                                   "--device",
                                   "cpu",
                                   "--verbose"});
  for (const char* line : {"seed: 12", "factor: 2", "frames: 7"}) {
    EXPECT_TRUE(Saved("few", line)) << line;  // in the current folder
  }
  EXPECT_THAT(verbose.err,
              HasSubstr("machine: threads 1, memory 777M, device cpu\n"));
  EXPECT_THAT(verbose.err, HasSubstr("failed: only 2 of 2"));
  // Quiet but for warnings and the line of the failure.
  const std::string quiet = with({"-q"}).err;
  EXPECT_THAT(quiet, Not(HasSubstr("[2/9]")));
  EXPECT_THAT(quiet, Not(HasSubstr("1 of 1")));
  EXPECT_THAT(quiet, HasSubstr("nerfpipe: only 2 of 2 frames"));
  // A capture is not its own workspace.
  EXPECT_THAT(Outcomes(Json({"batch", "captures", "-w", "captures"}, 1)),
              ElementsAre("few in captures/few-nerf: failed"));
  EXPECT_FALSE(Exists("captures/few/.nerfpipe"));
  std::filesystem::remove_all(folder_ / "captures/few-nerf");
  // Of the children nothing stands on standard output.
  EXPECT_THAT(Outcomes(Json({"batch", "captures", "-q"}, 1)),
              ElementsAre("few in " + (folder_ / "few").string() + ": failed"));
}

// Refused at once, for an option that no run can use.
TEST_F(Batch, TakesVideosOfEveryKind) {
  std::vector<std::string> expected;
  for (const char* suffix : {"3gp",
                             "AVI",
                             "M4v",
                             "mkv",
                             "mov",
                             "mp4",
                             "mpeg",
                             "mpg",
                             "mts",
                             "ts",
                             "webm",
                             "wmv"}) {
    const std::string name = std::string("clip of ") + suffix;
    WriteBroken("captures/" + name + "." + suffix);
    expected.push_back(name + "." + suffix + " in r/" + name + ": failed");
  }
  EXPECT_THAT(
      Outcomes(
          Json({"batch", "captures", "-w", "r", "--set", "train.factor=5"}, 1)),
      ::testing::UnorderedElementsAreArray(expected));
  EXPECT_FALSE(Exists("r/clip of mp4"));
}

TEST_F(Batch, MistakesAreToldBeforeAnythingIsRun) {
  EXPECT_THAT(LastLine(Run({"batch", "nowhere"}, 2)),
              HasSubstr("there is no folder 'nowhere'"));
  fs::create_directories(folder_ / "captures");
  EXPECT_THAT(LastLine(Run({"batch", "captures"}, 2)),
              HasSubstr("there is no capture in 'captures'"));
  WriteBroken("captures/a.mp4");
  EXPECT_THAT(LastLine(Run({"batch", "captures", "--set", "train.stpes=3"}, 2)),
              HasSubstr("did you mean 'train.steps'?"));
  EXPECT_FALSE(Exists("a"));
}

// From pictures to an MP4, beside a capture that fails.
TEST_F(Batch, WholePipelineEndsWithFigures) {
  const std::unique_ptr<demo::DemoScene> scene = demo::MakeTestScene();
  const auto cameras = demo::TestOrbit(36, 320, 180);
  fs::create_directories(folder_ / "captures/orbit");
  for (size_t i = 0; i < 13; ++i) {
    WriteImage(RenderView(*scene, cameras[i]).image,
               folder_ / "captures/orbit" / (std::to_string(i + 1) + ".jpg"));
  }
  WriteBroken("captures/broken.mp4");
  const Words batch = {
      "batch",    "captures",        "-w",    "results",
      "--config", "quick",           "--set", "train.factor=4",
      "--set",    "train.steps=40",  "--set", "splat.factor=4",
      "--set",    "splat.steps=40",  "--set", "render.method=ngp",
      "--set",    "render.frames=3", "--set", "render.scale=1"};
  const ProgramRun run = Run(batch, 1);
  EXPECT_THAT(run.err, ContainsRegex("broken.mp4 +failed"));
  EXPECT_THAT(
      run.err,
      ContainsRegex(
          "orbit +done +[0-9.]+ s +13/13 +[0-9]+\\.[0-9][0-9] +results/orbit"));
  EXPECT_TRUE(Exists("results/orbit/renders/video.mp4"));

  fs::remove(folder_ / "captures/broken.mp4");
  const nlohmann::json done = Json(batch, 0);
  EXPECT_THAT(Outcomes(done), ElementsAre("orbit in results/orbit: done"));
  const nlohmann::json& summary = done.at(0).at("summary");
  EXPECT_EQ(summary.at("training").at("ngp").at("steps"), 40);
  EXPECT_EQ(summary.at("frames").at("registered"), 13);

  // The figures that a run ends with are those of the summary.
  Words run_again = {"run", "captures/orbit", "-w", "results/orbit"};
  const ProgramRun shown = Run(run_again);
  EXPECT_THAT(shown.err, HasSubstr("13 extracted, 13 kept, 13 registered"));
  EXPECT_THAT(
      shown.err,
      ContainsRegex("cameras +" +
                    std::string(summary.at("reconstruction").at("verdict")) +
                    ", " + summary.at("reconstruction").at("points").dump() +
                    " points, reprojection error 0\\.[0-9][0-9] px"));
  EXPECT_THAT(
      shown.err,
      ContainsRegex("held-out, ngp +[0-9.]+ dB PSNR, 0\\.[0-9][0-9][0-9] "
                    "SSIM at [0-9]+x[0-9]+ \\(40 steps\\)"));
  EXPECT_THAT(shown.err, ContainsRegex("scene +results/orbit/exports/scene"));
  EXPECT_THAT(shown.err, ContainsRegex("depth video +results/orbit/renders/"));

  // The commands for data sets work on the workspace of a run.
  EXPECT_EQ(Json({"eval", "-w", "results/orbit"}).at("evaluation").at("psnr"),
            summary.at("training").at("ngp").at("psnr"));
  Run({"render", "-w", "results/orbit", "--path", "spiral", "--frames", "2"});
  EXPECT_TRUE(Exists("results/orbit/renders/spiral.mp4"));
  // A stage that is up to date is done again, and ends with the same.
  const nlohmann::json again = Json({"stage", "poses", "-w", "results/orbit"});
  EXPECT_EQ(again.at("stages").at("poses").at("state"), "done");
  EXPECT_EQ(again.at("stages").at("train").at("state"), "done");
}

}  // namespace
}  // namespace nerfpipe
