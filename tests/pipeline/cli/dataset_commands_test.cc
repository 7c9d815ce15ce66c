// train, eval and render on a data set. One small training serves a whole case.

#include "stages/media/image_file.h"
#include "stages/media/video_reader.h"
#include "tests/pipeline/cli/command_test.h"

#include <algorithm>
#include <set>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class DatasetCommands : public CommandTest {
 protected:
  DatasetCommands() {
    WriteSmallDataset(folder_ / "set", 9);
    WriteFileAtomically(folder_ / "tiny.yaml",
                        "train:\n  factor: 1\n  steps: 20\n"
                        "ngp:\n  log2_table: 10\n  max_rays: 64\n"
                        "nerf:\n  netwidth: 16\n  netwidth_fine: 16\n"
                        "  N_rand: 16\n  N_samples: 8\n  N_importance: 8\n"
                        "render:\n  frames: 3\n  scale: 1\n");
  }

  Words Tiny(Words command) const {
    command.insert(command.end(), {"--config", "tiny.yaml"});
    return command;
  }

  VideoInfo InfoOf(const std::string& video) const {
    return VideoReader(folder_ / video).info();
  }
};

TEST_F(DatasetCommands, TrainThenEvalThenRender) {
  const nlohmann::json trained =
      Json(Tiny({"train", "-d", "set", "-w", "out"})).at("training").at("ngp");
  EXPECT_EQ(trained.at("steps"), 20);
  const ProgramRun again = Run(Tiny({"train", "-d", "set", "-w", "out"}));
  EXPECT_THAT(again.err, HasSubstr("already trained: ngp, 20 steps"));
  EXPECT_THAT(again.err, HasSubstr("dB PSNR"));
  EXPECT_FALSE(fs::exists(folder_ / "set/.nerfpipe"));

  // The same pictures, the same scores: the first and the last of nine.
  const nlohmann::json scored = Json({"eval", "-w", "out"}).at("evaluation");
  EXPECT_EQ(scored.at("steps"), 20);
  EXPECT_EQ(scored.at("views").size(), 2);
  EXPECT_DOUBLE_EQ(scored.at("psnr"), trained.at("psnr"));
  EXPECT_DOUBLE_EQ(scored.at("ssim"), trained.at("ssim"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "out/eval/ngp"), {}),
            2);
  EXPECT_THAT(Run({"eval", "-w", "out"}).err, HasSubstr("mean of 2"));

  const ProgramRun render = Run({"render",
                                 "-w",
                                 "out",
                                 "--path",
                                 "spiral",
                                 "--frames",
                                 "4",
                                 "--size",
                                 "70x46"});
  EXPECT_THAT(render.err,
              HasSubstr("ngp, spiral, 4 frames of 70x46: renders/spiral.mp4"));
  EXPECT_THAT(render.err, HasSubstr("out/renders/spiral_depth.mp4"));
  for (const char* video : {"spiral.mp4", "spiral_depth.mp4"}) {
    const VideoInfo info = InfoOf(std::string("out/renders/") + video);
    EXPECT_EQ(info.frames, 4);
    EXPECT_EQ(info.width, 70);
    EXPECT_EQ(info.height, 46);
  }
  EXPECT_EQ(ReadImageSize(folder_ / "out/renders/spiral.png"),
            (ImageSize{70, 46}));
  // By options, and by the path that suits the scene.
  const nlohmann::json automatic =
      Json(Tiny({"render", "-w", "out", "--set", "render.fps=12"}));
  EXPECT_EQ(automatic.at("results").at("video"), "renders/orbit.mp4");
  EXPECT_EQ(automatic.at("render").at("frames"), 3);
  EXPECT_NEAR(InfoOf("out/renders/orbit.mp4").frames_per_second, 12, 0.01);
}

// As a workspace is; and in the data set itself nothing is written.
TEST_F(DatasetCommands, AFolderOfResultsIsLockedAndBesideTheDataSet) {
  const auto names = [&] {
    std::set<fs::path> found;
    for (const auto& entry :
         fs::recursive_directory_iterator(folder_ / "set")) {
      found.insert(entry.path());
    }
    return found;
  };
  const std::set<fs::path> before = names();
  const ProgramRun trained =
      RunProgram((folder_ / "set").string(),
                 {"train", "-d", ".", "--config", "../tiny.yaml"});
  EXPECT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_EQ(names(), before);
  EXPECT_TRUE(Exists("set-nerf/train/ngp/checkpoint.pt"));
  const std::string lock = folder_ / "set-nerf/.nerfpipe/lock";
  ASSERT_TRUE(fs::exists(lock));
  WriteFileAtomically(lock, "4711");
  const int file = open(lock.c_str(), O_RDWR);
  ASSERT_EQ(flock(file, LOCK_EX | LOCK_NB), 0);
  for (Words command :
       std::vector<Words>{{"train", "-d", "set"}, {"eval"}, {"render"}}) {
    command.insert(command.end(), {"-w", "set-nerf"});
    EXPECT_THAT(LastLine(Run(command, 1)),
                HasSubstr("set-nerf is in use by process 4711"));
  }
  close(file);
  // What is none leaves nothing behind.
  fs::create_directories(folder_ / "empty");
  Run({"train", "-d", "empty", "-w", "new"}, 1);
  EXPECT_FALSE(Exists("new"));
}

TEST_F(DatasetCommands, FlagsOfTrain) {
  // The folder is named after the data set, which lies in the current one.
  const nlohmann::json nerf = Json(Tiny({"train",
                                         "--dataset",
                                         "set",
                                         "--method",
                                         "nerf",
                                         "--steps",
                                         "3",
                                         "--threads",
                                         "1"}));
  EXPECT_EQ(nerf.at("training").at("nerf").at("steps"), 3);
  EXPECT_TRUE(Exists("set-nerf/train/nerf/checkpoint.pt"));
  // 80 steps a second are counted for a second.
  const nlohmann::json timed = Json(Tiny({"train",
                                          "-d",
                                          "set",
                                          "-w",
                                          "out",
                                          "--time",
                                          "0.1s",
                                          "--steps",
                                          "0",
                                          "--deterministic"}));
  EXPECT_EQ(timed.at("training").at("ngp").at("steps"), 10);
}

// Files for viewers, one of which comes back as somebody else's scene.
TEST_F(DatasetCommands, SplatsAreExportedAndShownAgain) {
  Run(Tiny({"train", "-d", "set", "-w", "out", "--method", "ngp"}));
  EXPECT_THAT(LastLine(Run({"export", "splats", "-w", "out"}, 1)),
              HasSubstr("no gaussians are trained in out/train/splat"));
  Run(Tiny({"train",
            "-d",
            "set",
            "-w",
            "out",
            "--method",
            "splat",
            "--set",
            "splat.count=400"}));
  const ProgramRun first = Run({"export", "splats", "-w", "out"});
  EXPECT_THAT(first.err, HasSubstr("gaussians: scene.ply "));
  EXPECT_THAT(first.err, HasSubstr("out/exports/scene.ply"));
  for (const char* format : {"spz", "splat", "glb"}) {
    Run({"export", "splats", "-w", "out", "--format", format});
    EXPECT_TRUE(Exists(std::string("out/exports/scene.") + format));
  }
  Run({"export", "splats", "-w", "out", "-o", "mine.spz"});
  EXPECT_EQ(ReadFile(folder_ / "mine.spz"),
            ReadFile(folder_ / "out/exports/scene.spz"));

  const nlohmann::json shown = Json({"render",
                                     "--scene",
                                     "out/exports/scene.ply",
                                     "--up",
                                     "y",
                                     "--frames",
                                     "3",
                                     "--size",
                                     "64x40"});
  EXPECT_EQ(shown.at("results").at("video"), "scene.mp4");
  EXPECT_EQ(InfoOf("scene.mp4").frames, 3);
  EXPECT_EQ(InfoOf("scene.mp4").width, 64);
  EXPECT_EQ(InfoOf("scene_depth.mp4").height, 40);
  // Something is to be seen.
  const Image poster = ReadImage(folder_ / "scene.png");
  EXPECT_NE(std::count_if(poster.pixels.begin(),
                          poster.pixels.end(),
                          [](uint8_t value) { return value > 40; }),
            0);
}

// The head of a PNG file of 20000 x 15000 pixels, which take 900 MB.
TEST_F(DatasetCommands, MemoryBoundsTheImagesOfTraining) {
  const std::string png(
      "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x4e\x20\0\0\x3a\x98\x08\x02\0\0\0"
      "\xca\x4e\x1c\x30",
      33);
  for (const auto& entry : fs::directory_iterator(folder_ / "set")) {
    if (entry.path().extension() == ".png") {
      WriteFileAtomically(entry.path(), png);
    }
  }
  const auto train = [&](const std::string& memory) {
    return LastLine(
        Run(Tiny({"train", "-d", "set", "-w", "out", "--mem", memory}), 1));
  };
  EXPECT_THAT(train("8G"),
              ContainsRegex("takes about 9.[1-4] GB of memory, and may take "
                            "8.0 GB; use smaller ones with --set "
                            "train.factor=2"));
  EXPECT_THAT(train("10G"), HasSubstr(".png"));
}

TEST_F(DatasetCommands, MistakesAreTold) {
  struct Mistake {
    Words command;
    int exit_code;
    std::string part;
  };
  fs::create_directories(folder_ / "empty");
  for (const Mistake& mistake : std::vector<Mistake>{
           {{"export", "mesh", "-w", "set"}, 2, "'mesh' cannot be exported"},
           {{"export", "splats", "-w", "set", "--format", "obj"},
            2,
            "cannot be written as 'obj'"},
           {{"export", "splats"}, 2, "needs the folder of a trained scene"},
           {{"render", "--scene", "no.ply"}, 2, "there is no file 'no.ply'"},
           {{"render", "--scene", "tiny.yaml"}, 1, "does not tell its format"},
           {{"render", "--scene", "tiny.yaml", "--up", "w"},
            2,
            "--up cannot be 'w'"},
           {{"train", "-w", "out"}, 2, "--dataset"},
           {{"train", "-d", "nowhere"}, 2, "there is no data set 'nowhere'"},
           {{"train", "-d", "set", "--method", "nrf"},
            2,
            "did you mean 'nerf'?"},
           {{"train", "-d", "set", "--device", "gpu"},
            2,
            "machine.device cannot be 'gpu'"},
           {{"train", "-d", "set", "--time", "-3"}, 2, "--time cannot be"},
           {{"render"}, 2, "'render' needs the folder of a trained scene"},
           {{"render", "-w", "nowhere"}, 2, "there is no folder 'nowhere'"},
           {{"render", "-w", "empty"}, 1, "nothing is trained in empty"},
           {{"render", "-w", "set", "--size", "70"},
            2,
            "--size 70 cannot be read; write it as 1280x720"},
           {{"render", "-w", "set", "--size", "70xy"},
            2,
            "render.height needs a whole number, not 'y'"},
           {{"render", "-w", "set", "--path", "circle"},
            2,
            "render.path needs one of"},
           {{"eval"}, 2, "'eval' needs the folder of a trained scene"},
           {{"eval", "-w", "empty"}, 1, "nothing is trained in empty"}}) {
    const ProgramRun run = Run(mistake.command, mistake.exit_code);
    EXPECT_THAT(LastLine(run), HasSubstr(mistake.part));
  }
}

}  // namespace
}  // namespace nerfpipe
