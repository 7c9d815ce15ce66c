// What the options of colmap do: seen in the pairs that are to be matched and
// the features that were found, or in the files of a whole run.

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "stages/colmap/colmap_stage.h"
#include "stages/common/capture_file.h"
#include "stages/media/image_file.h"
#include "tests/pipeline/cli/options/option_table.h"
#include "tests/stages/colmap/corner_scene.h"
#include "tests/temporary_folder.h"

#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>

namespace nerfpipe::sfm {
namespace {

namespace fs = std::filesystem;

constexpr int kFrames = 13;

struct Outcome {
  int64_t pairs = 0;            // announced when matching begins
  uintmax_t feature_bytes = 0;  // of all images
  uintmax_t image_bytes = 0;    // of the first undistorted image
  int32_t camera_model = -1;    // COLMAP's number of the solved camera
};

// Notes how many pairs are matched, and may then ask for an end.
class Watcher : public Report {
 public:
  explicit Watcher(bool stop) : stop_(stop) {}

  void Info(std::string_view) override {}
  void Warn(std::string_view) override {}
  void Detail(std::string_view) override {}
  void Show(const Table&) override {}
  std::unique_ptr<Progress> Start(std::string_view what,
                                  int64_t total,
                                  std::string_view) override {
    if (what == "matching" && pairs == 0) {
      pairs = total;
      RequestInterrupt(stop_);
    }
    return SilentReport().Start(what, total, "");
  }

  int64_t pairs = 0;

 private:
  bool stop_;
};

// A walk past the corner, as a video.
fs::path Frames() {
  static const TemporaryFolder folder;
  if (!fs::exists(folder / "capture.json")) {
    CaptureFile capture;
    capture.kind = "video";
    fs::create_directories(folder / "frames");
    for (int i = 0; i < kFrames; ++i) {
      CaptureFrame frame;
      frame.name = std::to_string(10001 + i) + ".jpg";
      frame.index = 3 * i;
      const Image image = RenderCorner(CornerPose(i, kFrames));
      frame.width = image.width;
      frame.height = image.height;
      WriteImage(image, folder / "frames" / frame.name);
      capture.frames.push_back(frame);
    }
    WriteCaptureFile(capture, folder / "capture.json");
  }
  return folder.path();
}

Outcome Run(const std::vector<Setting>& settings, bool whole) {
  const std::unique_ptr<Stage> stage = MakeColmapStage();
  Set(*stage, {"colmap.max_features", "900"});
  for (const Setting& setting : settings) Set(*stage, setting);
  const TemporaryFolder folder;
  Watcher watcher(!whole);
  StageContext context;
  context.workspace = Frames();
  context.out = folder / "out";
  context.scratch = folder / "scratch";
  context.threads = 2;
  context.report = &watcher;
  fs::create_directories(context.out);
  fs::create_directories(context.scratch);
  Outcome outcome;
  try {
    const StageResult result = stage->Run(context);
    EXPECT_EQ(result.state, StageResult::State::kDone) << result.line;
    outcome.image_bytes = fs::file_size(context.out / "images/10001.jpg");
    const std::string cameras =
        ReadFile(context.out / "colmap/sparse/0/cameras.bin");
    // The number of cameras, the number of the first, its model.
    std::memcpy(&outcome.camera_model, cameras.data() + 12, 4);
  } catch (const Interrupted&) {
    EXPECT_FALSE(whole);
  }
  RequestInterrupt(false);
  outcome.pairs = watcher.pairs;
  for (const auto& entry :
       fs::directory_iterator(context.scratch / "features")) {
    outcome.feature_bytes += entry.file_size();
  }
  return outcome;
}

struct Line {
  std::string option;
  std::string value;
  std::string promise;  // of the value, against the default
  std::function<bool(const Outcome& without, const Outcome& with)> holds;
  std::vector<Setting> under = {};  // of both
};

void Check(const std::vector<Line>& lines, bool whole) {
  std::map<std::vector<Setting>, Outcome> outcomes;
  const auto made = [&](const std::vector<Setting>& settings) -> Outcome& {
    const auto [outcome, is_new] = outcomes.try_emplace(settings);
    if (is_new) outcome->second = Run(settings, whole);
    return outcome->second;
  };
  for (const Line& line : lines) {
    SCOPED_TRACE(line.option + "=" + line.value + ": " + line.promise);
    std::vector<Setting> settings = line.under;
    const Outcome& without = made(settings);
    settings.emplace_back(line.option, line.value);
    const Outcome& with = made(settings);
    EXPECT_TRUE(line.holds(without, with))
        << without.pairs << " pairs, then " << with.pairs << "; "
        << without.feature_bytes << " bytes of features, then "
        << with.feature_bytes << "; camera " << without.camera_model
        << ", then " << with.camera_model;
  }
}

// Without the mapping.
const std::vector<Line>& LinesOfMatching() {
  static const std::vector<Line> lines = {
      {"colmap.matching",
       "exhaustive",
       "compares each image with each",
       [](const Outcome& without, const Outcome& with) {
         return without.pairs < kFrames * (kFrames - 1) / 2 &&
                with.pairs == kFrames * (kFrames - 1) / 2;
       }},
      {"colmap.overlap",
       "3",
       "compares each image with the three that follow it",
       [](const Outcome& without, const Outcome& with) {
         return without.pairs == 10 * (kFrames - 10) + 45 &&
                with.pairs < without.pairs && with.pairs >= 3 * kFrames - 6;
       },
       {{"colmap.matching", "sequential"}}},
      {"colmap.max_image_size",
       "150",
       "finds fewer features on smaller pictures",
       [](const Outcome& without, const Outcome& with) {
         return 3 * with.feature_bytes < 2 * without.feature_bytes &&
                with.feature_bytes > 10'000;
       }},
      {"colmap.max_features",
       "200",
       "keeps as many features",
       [](const Outcome& without, const Outcome& with) {
         return 3 * with.feature_bytes < without.feature_bytes &&
                with.feature_bytes > 10'000;
       }},
  };
  return lines;
}

const std::vector<Line>& LinesOfTheWhole() {
  static const std::vector<Line> lines = {
      {"colmap.camera_model",
       "SIMPLE_PINHOLE",
       "solves that lens",
       [](const Outcome& without, const Outcome& with) {
         return without.camera_model != 0 && with.camera_model == 0;
       }},
      {"colmap.jpeg_quality",
       "60",
       "makes the undistorted images less than half as large",
       [](const Outcome& without, const Outcome& with) {
         return 2 * with.image_bytes < without.image_bytes &&
                with.image_bytes > 1000;
       }},
  };
  return lines;
}

TEST(OptionTable, OfColmapsMatching) { Check(LinesOfMatching(), false); }
TEST(OptionTable, OfColmapAsAWhole) { Check(LinesOfTheWhole(), true); }

TEST(OptionTable, HasALineForEveryOptionOfColmap) {
  std::vector<std::string> names = NamesOf(LinesOfMatching());
  for (const Line& line : LinesOfTheWhole()) names.push_back(line.option);
  names.emplace_back("colmap.accept_bad");  // by PosesStageTest, which heeds it
  ExpectALineForEach(MakeColmapStage()->Options(), names);
}

}  // namespace
}  // namespace nerfpipe::sfm
