// What the options of extract, check, poses, downsample and render do.

#include "pipeline/base/error.h"
#include "stages/capture/check_stage.h"
#include "stages/capture/extract_stage.h"
#include "stages/common/capture_file.h"
#include "stages/common/npy.h"
#include "stages/llff/downsample_stage.h"
#include "stages/llff/poses_stage.h"
#include "stages/media/image_file.h"
#include "stages/media/video_reader.h"
#include "stages/media/video_writer.h"
#include "stages/nerf/jobs/linked_trainer.h"
#include "stages/nerf/stage/render_stage.h"
#include "stages/nerf/stage/train_stage.h"
#include "tests/pipeline/cli/options/option_table.h"
#include "tests/scenes/small_captures.h"
#include "tests/stages/llff/llff_scene.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

// A folder that stages work in, one after the other.
class Folder {
 public:
  fs::path operator/(const fs::path& name) const { return folder_ / name; }

  StageResult Run(Stage& stage, const fs::path& capture = {}) const {
    StageContext context;
    context.capture = capture;
    context.workspace = context.out = folder_;
    context.scratch = folder_ / (".scratch " + stage.Name());
    context.device = "cpu";
    context.report = &SilentReport();
    fs::create_directories(context.scratch);
    return stage.Run(context);
  }

 private:
  const TemporaryFolder folder_;
};

template <typename Outcome>
struct Line {
  std::string option;
  std::string value;
  std::string promise;  // of the value, against the default
  std::function<bool(const Outcome& without, const Outcome& with)> holds;
  std::vector<Setting> under;  // of both
};

template <typename Outcome>
void Check(const std::vector<Line<Outcome>>& lines,
           Outcome (*run)(const std::vector<Setting>&)) {
  std::map<std::vector<Setting>, Outcome> outcomes;
  const auto made = [&](const std::vector<Setting>& settings) -> Outcome& {
    const auto [outcome, is_new] = outcomes.try_emplace(settings);
    if (is_new) outcome->second = run(settings);
    return outcome->second;
  };
  for (const Line<Outcome>& line : lines) {
    SCOPED_TRACE(line.option + "=" + line.value + ": " + line.promise);
    std::vector<Setting> settings = line.under;
    const Outcome& without = made(settings);
    settings.emplace_back(line.option, line.value);
    EXPECT_TRUE(line.holds(without, made(settings)));
  }
}

// --- capture ---

constexpr int kClipFrames = 22;
constexpr int kSmeared = 9;
constexpr int kRepeated = 15;  // the same as the one before

Image Smeared(const Image& image) {
  constexpr int kReach = 9;
  Image smeared = image;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        int sum = 0;
        for (int d = -kReach; d <= kReach; ++d) {
          sum += image.At(std::clamp(x + d, 0, image.width - 1), y)[c];
        }
        smeared.At(x, y)[c] = static_cast<uint8_t>(sum / (2 * kReach + 1));
      }
    }
  }
  return smeared;
}

struct Captured {
  std::vector<int64_t> indices;            // in the clip
  uintmax_t bytes = 0;                     // of the first frame
  int width = 0;                           // likewise
  std::map<int64_t, std::string> dropped;  // with the reason
  size_t photos = 0;  // kept of the frames of the clip as a folder of photos
};

// The first frames of the clip as photos.
size_t KeptPhotos(Stage& extract, Stage& check) {
  static const TemporaryFolder photos;
  if (fs::is_empty(photos.path())) WritePhotos(photos.path(), kClipFrames);
  const Folder folder;
  folder.Run(extract, photos.path());
  folder.Run(check, photos.path());
  return ReadCaptureFile(folder / "capture.json").KeptNames().size();
}

Captured Capture(const std::vector<Setting>& settings) {
  static const TemporaryFolder clip_folder;
  const fs::path clip = clip_folder / "clip.mp4";
  if (!fs::exists(clip)) {
    const Image first = ClipFrame(0);
    VideoWriter writer(clip, first.width, first.height, 25, 4);
    for (int i = 0; i < kClipFrames; ++i) {
      const Image frame = ClipFrame(i >= kRepeated ? i - 1 : i);
      writer.Write(i == kSmeared ? Smeared(frame) : frame);
    }
    writer.Finish();
  }
  const std::unique_ptr<Stage> extract = MakeExtractStage();
  const std::unique_ptr<Stage> check = MakeCheckStage(extract.get());
  for (const Setting& setting : settings) {
    Set(setting.first.rfind("check.", 0) == 0 ? *check : *extract, setting);
  }
  const Folder folder;
  folder.Run(*extract, clip);
  folder.Run(*check, clip);
  Captured captured;
  captured.bytes = fs::file_size(folder / "frames/00001.jpg");
  captured.width = ReadImageSize(folder / "frames/00001.jpg").width;
  for (const CaptureFrame& frame :
       ReadCaptureFile(folder / "capture.json").frames) {
    captured.indices.push_back(frame.index);
    if (!frame.kept) captured.dropped[frame.index] = frame.reason;
  }
  captured.photos = KeptPhotos(*extract, *check);
  return captured;
}

const std::vector<Line<Captured>>& CaptureLines() {
  static const std::vector<Line<Captured>> lines = {
      {"extract.every",
       "2",
       "takes every second frame",
       [](const Captured& without, const Captured& with) {
         return without.indices.size() == kClipFrames &&
                with.indices.size() == kClipFrames / 2 && with.indices[3] == 6;
       },
       {}},
      {"extract.target",
       "10",
       "takes about ten frames",
       [](const Captured& without, const Captured& with) {
         return without.indices.size() == kClipFrames &&
                with.indices.size() >= 8 && with.indices.size() <= 12;
       },
       {}},
      {"extract.jpeg_quality",
       "60",
       "makes the files less than half as large",
       [](const Captured& without, const Captured& with) {
         return 2 * with.bytes < without.bytes && with.bytes > 500;
       },
       {}},
      {"extract.layout",
       "stereo",
       "takes half of each picture",
       [](const Captured& without, const Captured& with) {
         return with.width == without.width / 2;
       },
       {}},
      {"check.blur",
       "0",
       "drops no blurred frame",
       [](const Captured& without, const Captured& with) {
         return without.dropped.count(kSmeared) == 1 &&
                with.dropped.count(kSmeared) == 0;
       },
       {}},
      {"check.duplicate",
       "0",
       "drops no repeated frame",
       [](const Captured& without, const Captured& with) {
         return without.dropped.count(kRepeated) == 1 &&
                with.dropped.count(kRepeated) == 0;
       },
       {}},
      {"check.thin",
       "no",
       "keeps all frames of a clip that are given as photos",
       [](const Captured& without, const Captured& with) {
         return without.photos >= 8 && without.photos <= 12 &&
                with.photos == kClipFrames;
       },
       {{"extract.target", "10"}}},
  };
  return lines;
}

TEST(OptionTable, OfExtractAndCheck) { Check(CaptureLines(), Capture); }

TEST(OptionTable, HasALineForEveryOptionOfExtractAndCheck) {
  std::vector<OptionGroup> groups = MakeExtractStage()->Options();
  groups.push_back(MakeCheckStage()->Options().at(0));
  ExpectALineForEach(groups, NamesOf(CaptureLines()));
}

// --- llff ---

struct Llff {
  double farthest = 0;
  std::vector<std::string> folders;  // images_N
};

Llff MakeLlff(const std::vector<Setting>& settings) {
  const Folder folder;
  WriteLlffScene(LlffModel(), folder / "");  // one of its points is a stray
  const std::unique_ptr<Stage> poses = MakePosesStage();
  const std::unique_ptr<Stage> downsample = MakeDownsampleStage();
  for (const Setting& setting : settings) {
    Set(setting.first.rfind("poses.", 0) == 0 ? *poses : *downsample, setting);
  }
  folder.Run(*poses);
  folder.Run(*downsample);
  Llff llff;
  const NpyArray array = ReadNpy(folder / "poses_bounds.npy");
  for (size_t row = 0; row < static_cast<size_t>(array.shape[0]); ++row) {
    llff.farthest = std::max(llff.farthest, array.values[17 * row + 16]);
  }
  for (const auto& entry : fs::directory_iterator(folder / "")) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("images_", 0) == 0) llff.folders.push_back(name);
  }
  std::sort(llff.folders.begin(), llff.folders.end());
  return llff;
}

const std::vector<Line<Llff>>& LlffLines() {
  static const std::vector<Line<Llff>> lines = {
      {"poses.bounds",
       "llff",
       "counts a stray point far behind everything",
       [](const Llff& without, const Llff& with) {
         return without.farthest < 40 && with.farthest > 100;
       },
       {}},
      {"downsample.factors",
       "3,16",
       "makes these folders and no others",
       [](const Llff& without, const Llff& with) {
         return without.folders == std::vector<std::string>{"images_2",
                                                            "images_4",
                                                            "images_8"} &&
                with.folders ==
                    std::vector<std::string>{"images_16", "images_3"};
       },
       {}},
  };
  return lines;
}

TEST(OptionTable, OfPosesAndDownsample) { Check(LlffLines(), MakeLlff); }

TEST(OptionTable, HasALineForEveryOptionOfPosesAndDownsample) {
  std::vector<OptionGroup> groups = MakePosesStage()->Options();
  groups.push_back(MakeDownsampleStage()->Options().at(0));
  ExpectALineForEach(groups, NamesOf(LlffLines()));
}

// --- render ---

struct Video {
  VideoInfo info;
  uintmax_t bytes = 0;
  std::string name;
  std::string path;
  std::string problem;  // without a video
  Image last;
};

Video RenderWith(const std::vector<Setting>& settings) {
  static const std::unique_ptr<TrainStage> train = [] {
    std::unique_ptr<TrainStage> stage = MakeTrainStage(LinkedTrainerLibrary);
    for (const Setting& setting :
         std::vector<Setting>{{"train.factor", "1"},
                              {"train.llffhold", "0"},
                              {"train.steps", "12"},
                              {"ngp.levels", "4"},
                              {"ngp.hidden", "16"},
                              {"ngp.log2_table", "10"},
                              {"ngp.step", "0.2"},  // few samples: quick
                              {"ngp.cone", "0.5"},
                              {"ngp.far", "30"},
                              {"ngp.grid_resolution", "16"}}) {
      Set(*stage, setting);
    }
    return stage;
  }();
  static const Folder* const folder = [] {
    auto* made = new Folder();
    WriteSmallDataset(*made / "", 7);
    made->Run(*train);
    return made;
  }();
  const std::unique_ptr<RenderStage> render = MakeRenderStage({train.get()});
  Set(*render, {"render.frames", "3"});
  for (const Setting& setting : settings) Set(*render, setting);
  fs::remove_all(*folder / ".scratch render");
  fs::remove_all(*folder / "renders");
  Video video;
  StageResult result;
  try {
    result = folder->Run(*render);
  } catch (const UserError& error) {
    video.problem = error.what();
    return video;
  }
  video.name = result.facts.at("results").at("video");
  video.path = result.facts.at("render").at("path");
  const fs::path file = *folder / video.name;
  video.bytes = fs::file_size(file);
  VideoReader reader(file);
  video.info = reader.info();
  while (const std::optional<VideoFrame> frame = reader.Next()) {
    video.last = frame->ToImage();
  }
  return video;
}

bool SizeIs(const Video& video, int width, int height) {
  return video.info.width == width && video.info.height == height;
}

const std::vector<Line<Video>>& RenderLines() {
  static const std::vector<Line<Video>> lines = {
      {"render.path",
       "spiral",
       "goes another way, into a file of its name",
       [](const Video& without, const Video& with) {
         return without.name == "renders/video.mp4" &&
                without.path == "orbit" && with.name == "renders/spiral.mp4" &&
                with.path == "spiral" &&
                with.last.pixels != without.last.pixels;
       },
       {}},
      {"render.frames",
       "5",
       "is the number of frames",
       [](const Video& without, const Video& with) {
         return without.info.frames == 3 && with.info.frames == 5;
       },
       {}},
      {"render.fps",
       "12.5",
       "is the rate of the video, and its length with it",
       [](const Video& without, const Video& with) {
         return std::abs(without.info.frames_per_second - 30) < 0.01 &&
                std::abs(with.info.frames_per_second - 12.5) < 0.01 &&
                std::abs(with.info.duration - 3 / 12.5) < 0.01;
       },
       {}},
      {"render.method",
       "nerf",
       "shows nothing, for ngp is trained",
       [](const Video& without, const Video& with) {
         return without.problem.empty() &&
                with.problem.find("no trained scene") != std::string::npos;
       },
       {}},
      {"render.scale",
       "2",
       "is twice the size of the training images, 53 x 37 (odd sides are "
       "padded)",
       [](const Video& without, const Video& with) {
         return SizeIs(without, 54, 38) && SizeIs(with, 106, 74);
       },
       {}},
      {"render.width",
       "80",
       "is the width; the height follows",
       [](const Video&, const Video& with) { return SizeIs(with, 80, 56); },
       {}},
      {"render.height",
       "46",
       "is the height; the width follows",
       [](const Video&, const Video& with) { return SizeIs(with, 66, 46); },
       {}},
      {"render.height",
       "90",
       "is the height, whatever the width",
       [](const Video&, const Video& with) { return SizeIs(with, 60, 90); },
       {{"render.width", "60"}}},
      {"render.crf",
       "45",
       "makes the file smaller",
       [](const Video& without, const Video& with) {
         return with.bytes < 0.8 * static_cast<double>(without.bytes);
       },
       {{"render.scale", "2"}}},
  };
  return lines;
}

TEST(OptionTable, OfRender) { Check(RenderLines(), RenderWith); }

TEST(OptionTable, HasALineForEveryOptionOfRender) {
  const std::unique_ptr<TrainStage> train =
      MakeTrainStage(LinkedTrainerLibrary);
  ExpectALineForEach(MakeRenderStage({train.get()})->Options(),
                     NamesOf(RenderLines()));
}

}  // namespace
}  // namespace nerfpipe
