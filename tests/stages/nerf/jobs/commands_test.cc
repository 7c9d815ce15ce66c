#include "stages/nerf/jobs/commands.h"

#include "pipeline/base/atomic_file.h"
#include "stages/media/image_file.h"
#include "tests/listener.h"
#include "tests/stages/nerf/data/tiny_scene.h"
#include "tests/stages/nerf/jobs/tiny_training.h"
#include "tests/temporary_folder.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using nerf::TinyScene;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class CommandsTest : public ::testing::Test {
 protected:
  CommandsTest() {
    const TinyScene scene;
    scene.WriteImages(data() / "images");
    scene.WriteTransforms(data());
    work_.folder = folder_.path() / "work";
    work_.threads = 1;
    work_.device = "cpu";
    work_.report = &SilentReport();
  }

  fs::path data() const { return folder_.path() / "data"; }

  // Results that were put aside.
  int Kept() const {
    const fs::path saved = work_.folder / ".nerfpipe/saved";
    int count = 0;
    while (fs::exists(saved / std::to_string(count + 1) /
                      "train/ngp/checkpoint.pt")) {
      ++count;
    }
    return count;
  }

  TemporaryFolder folder_;
  WorkFolder work_;
};

TEST_F(CommandsTest, TrainEvalRenderNeedTheDataSetOnlyOnce) {
  const std::unique_ptr<TrainStage> train = TinyTrainStage("ngp");
  const StageResult first = TrainDataset(*train, data(), work_);
  ASSERT_EQ(first.state, StageResult::State::kDone) << first.line;
  EXPECT_TRUE(fs::exists(work_.folder / "train/ngp/checkpoint.pt"));
  EXPECT_TRUE(fs::exists(work_.folder / "train/ngp/test"));

  const StageResult again = TrainDataset(*train, data(), work_);
  EXPECT_THAT(again.line, StartsWith("already trained"));
  EXPECT_EQ(again.facts, first.facts);
  Set(*train, "train.seed", "5");
  EXPECT_THAT(TrainDataset(*train, data(), work_).line, StartsWith("ngp, 40"));
  // What was there stays where its owner finds it.
  EXPECT_EQ(Kept(), 1);

  // Another method in the options, but only ngp is trained here.
  const std::unique_ptr<TrainStage> other = TinyTrainStage("nerf");
  const StageResult eval = EvaluateCheckpoint(*other, work_);
  EXPECT_EQ(eval.facts["evaluation"]["method"], "ngp");
  EXPECT_EQ(eval.facts["evaluation"]["views"].size(), 2);
  EXPECT_EQ(eval.facts["evaluation"]["views"][0]["name"], "images/IMG 10.png");
  // The scores are those that training ended with, view by view.
  const nlohmann::ordered_json facts =
      TrainDataset(*train, data(), work_).facts["training"]["ngp"];
  EXPECT_EQ(eval.facts["evaluation"]["psnr"], facts["psnr"]);
  EXPECT_EQ(eval.facts["evaluation"]["ssim"], facts["ssim"]);
  EXPECT_EQ(eval.facts["evaluation"]["steps"], 40);
  EXPECT_THAT(eval.line, StartsWith("ngp, "));
  EXPECT_THAT(eval.line, HasSubstr("on 2 views"));
  EXPECT_TRUE(fs::exists(work_.folder / "eval/ngp/images_IMG 10.png"));
  EXPECT_FALSE(fs::exists(work_.folder / ".nerfpipe/train-ngp"));

  const std::unique_ptr<RenderStage> render = MakeRenderStage({other.get()});
  Set(*render, "render.frames", "2");
  const StageResult video = RenderCheckpoint(*render, work_);
  EXPECT_EQ(video.facts["results"]["video"], "renders/orbit.mp4");
  EXPECT_TRUE(fs::exists(work_.folder / "renders/orbit.mp4"));
  EXPECT_TRUE(fs::exists(work_.folder / "renders/orbit_depth.mp4"));
  // As wide as the images, of which IMG 11 (79 pixels) is the first that was
  // trained on, with the shape of IMG 10 (73 x 49).
  const ImageSize size = ReadImageSize(work_.folder / "renders/orbit.png");
  EXPECT_EQ(size.width, 79);
  EXPECT_EQ(size.height, 53);
  // Another path beside it, and the same one anew.
  Set(*render, "render.path", "interpolate");
  Set(*render, "render.scale", "0.5");
  EXPECT_EQ(RenderCheckpoint(*render, work_).facts["results"]["video"],
            "renders/interpolate.mp4");
  EXPECT_TRUE(fs::exists(work_.folder / "renders/orbit.mp4"));
  Set(*render, "render.path", "orbit");
  RenderCheckpoint(*render, work_);
  EXPECT_EQ(ReadImageSize(work_.folder / "renders/orbit.png").width, 40);
}

// Changed images come with changed cameras; a scene that was trained on others
// is trained anew, and so is one with a checkpoint of another method beside it.
TEST_F(CommandsTest, AChangedDataSetIsTrainedAnew) {
  const std::unique_ptr<TrainStage> train = TinyTrainStage("ngp");
  Set(*train, "train.steps", "3");
  Set(*train, "train.llffhold", "0");
  EXPECT_THAT(TrainDataset(*train, data(), work_).line, StartsWith("ngp, 3"));
  nlohmann::json file = TinyScene().Transforms();
  file["frames"].erase(4);
  WriteFileAtomically(data() / "transforms.json", file.dump());
  EXPECT_THAT(TrainDataset(*train, data(), work_).line, StartsWith("ngp, 3"));
  EXPECT_THAT(TrainDataset(*train, data(), work_).line,
              StartsWith("already trained"));
  // Nothing was held out.
  try {
    EvaluateCheckpoint(*train, work_);
    FAIL() << "no error";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("held out"));
  }
  const std::unique_ptr<TrainStage> nerf = TinyTrainStage("nerf");
  Set(*nerf, "train.steps", "3");
  EXPECT_THAT(TrainDataset(*nerf, data(), work_).line, StartsWith("nerf, 3"));
  EXPECT_TRUE(fs::exists(work_.folder / "train/ngp/checkpoint.pt"));
  EXPECT_THAT(TrainDataset(*train, data(), work_).line,
              StartsWith("already trained"));
  // Asked for either method, that one is taken.
  EXPECT_EQ(EvaluateCheckpoint(*nerf, work_).facts["evaluation"]["method"],
            "nerf");
}

// With the layout that has masks, and bytes in names that are no UTF-8.
TEST_F(CommandsTest, WhateverAResultIsMadeFromMakesItStale) {
  const fs::path set = folder_.path() / "s\xe9t";
  const TinyScene scene;
  scene.WriteImages(set / "images");
  scene.WriteLlff(set);
  const std::string last =
      *std::max_element(scene.names.begin(), scene.names.end());
  const fs::path renamed = set / "images" / "z\xfc.png";
  fs::rename(set / "images" / last, renamed);
  const std::unique_ptr<TrainStage> train = TinyTrainStage("ngp");
  Set(*train, "train.steps", "3");
  int trainings = 0;
  const auto expect_anew = [&](const char* what) {
    EXPECT_THAT(TrainDataset(*train, set, work_).line, StartsWith("ngp, 3"))
        << what;
    EXPECT_THAT(TrainDataset(*train, set, work_).line,
                StartsWith("already trained"))
        << what;
    EXPECT_EQ(Kept(), trainings++) << what;
  };
  expect_anew("never trained");
  Image image = ReadImage(renamed);
  ++image.pixels[7];
  WriteImage(image, renamed);
  expect_anew("an image");
  fs::create_directories(set / "masks");
  const fs::path mask = set / "masks" / "z\xfc.png";
  Image white(image.width, image.height, 1);
  std::fill(white.pixels.begin(), white.pixels.end(), uint8_t{255});
  WriteImage(white, mask);
  expect_anew("a mask");
  Set(*train, "train.llffhold", "4");
  expect_anew("the split");
  TinyScene other;
  other.world_from_camera[3].translation.x() += 0.01;
  other.WriteLlff(set);
  expect_anew("a camera");

  // Where it lies makes none, and scoring finds it there.
  const fs::path moved = folder_.path() / "moved";
  fs::rename(set, moved);
  EXPECT_THROW(EvaluateCheckpoint(*train, work_), UserError);
  work_.dataset = moved;
  EXPECT_EQ(EvaluateCheckpoint(*train, work_).state, StageResult::State::kDone);
  work_.dataset.clear();
  EXPECT_THAT(TrainDataset(*train, moved, work_).line,
              StartsWith("already trained"));
  EXPECT_GT(
      EvaluateCheckpoint(*train, work_).facts["evaluation"]["views"].size(),
      2u);
}

// What cannot be trained leaves what is trained as it is.
TEST_F(CommandsTest, AFailedRunReplacesNothing) {
  const std::unique_ptr<TrainStage> train = TinyTrainStage("nerf");
  Set(*train, "train.steps", "3");
  TrainDataset(*train, data(), work_);
  const fs::path trained = work_.folder / "train/nerf/checkpoint.pt";
  const std::string before = ReadFile(trained);
  Set(*train, "train.steps", "40");
  Interrupter report("Training", 10);
  work_.report = &report;
  EXPECT_THROW(TrainDataset(*train, data(), work_), Interrupted);
  RequestInterrupt(false);
  EXPECT_TRUE(ReadFile(trained) == before);
  work_.report = &SilentReport();
  Spoil(work_.folder / ".nerfpipe/train-nerf/work/checkpoint.pt");
  EXPECT_EQ(TrainDataset(*train, data(), work_).state,
            StageResult::State::kFailed);
  EXPECT_TRUE(ReadFile(trained) == before);
  EXPECT_THAT(EvaluateCheckpoint(*train, work_).facts["evaluation"]["steps"],
              3);
}

// Keeps how far the progress of training came.
class TrainingProgress : public Listener {
 public:
  std::unique_ptr<Progress> Start(std::string_view what,
                                  int64_t total,
                                  std::string_view unit) override {
    if (what != "Training ngp") return Listener::Start(what, total, unit);
    all = total;
    return std::make_unique<Keeper>(this);
  }

  int64_t all = 0;
  int64_t done = 0;

 private:
  struct Keeper : Progress {
    explicit Keeper(TrainingProgress* owner_in) : owner(owner_in) {}
    void Update(int64_t now, std::string_view) override { owner->done = now; }
    TrainingProgress* owner;
  };
};

TEST_F(CommandsTest, RunByTimeGoesOnWhenGivenAgain) {
  const std::unique_ptr<TrainStage> train = TinyTrainStage("ngp");
  Set(*train, "train.steps", "0");
  Set(*train, "train.time", "1.3");
  const StageResult first = TrainDataset(*train, data(), work_);
  const fs::path metrics = work_.folder / "train/ngp/metrics.jsonl";
  const std::string history = ReadFile(metrics);
  Set(*train, "train.time", "0.3");
  TrainingProgress progress;
  work_.report = &progress;
  const StageResult second = TrainDataset(*train, data(), work_);
  const auto figure = [](const StageResult& result, const char* name) {
    return result.facts["training"]["ngp"][name].get<double>();
  };
  EXPECT_EQ(progress.all, 1);  // seconds, of this sitting
  EXPECT_LE(progress.done, 1);
  EXPECT_GE(figure(first, "seconds"), 1.3);
  EXPECT_GE(figure(second, "seconds"), figure(first, "seconds") + 0.3);
  EXPECT_GT(figure(second, "steps"), figure(first, "steps"));
  EXPECT_EQ(Kept(), 0) << "it goes on in the new one";
  EXPECT_THAT(ReadFile(metrics),
              StartsWith(history.substr(0, history.find('\n'))));
}

TEST_F(CommandsTest, DeterministicRunByTimeIsDoneOnce) {
  const std::unique_ptr<TrainStage> train = TinyTrainStage("ngp");
  Set(*train, "train.steps", "0");
  Set(*train, "train.time", "0.15");
  Set(*train, "train.deterministic", "yes");
  const StageResult first = TrainDataset(*train, data(), work_);
  EXPECT_EQ(first.facts["training"]["ngp"]["steps"], 15);
  EXPECT_THAT(TrainDataset(*train, data(), work_).line,
              StartsWith("already trained"));
  Set(*train, "train.time", "0.3");
  const StageResult longer = TrainDataset(*train, data(), work_);
  EXPECT_EQ(longer.facts["training"]["ngp"]["steps"], 30);
}

TEST_F(CommandsTest, FoldersOfOthersAreLeftAlone) {
  fs::create_directories(work_.folder / "train/ngp");
  WriteFileAtomically(work_.folder / "train/ngp/mine.txt", "mine");
  const std::unique_ptr<TrainStage> train = TinyTrainStage("ngp");
  EXPECT_THROW(TrainDataset(*train, data(), work_), UserError);
  EXPECT_EQ(ReadFile(work_.folder / "train/ngp/mine.txt"), "mine");
}

TEST_F(CommandsTest, ErrorsSayWhatIsMissing) {
  const std::unique_ptr<TrainStage> train = TinyTrainStage("ngp");
  try {
    EvaluateCheckpoint(*train, work_);
    FAIL() << "no error";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("nothing is trained"));
  }
  EXPECT_THROW(TrainDataset(*train, folder_.path() / "nowhere", work_),
               UserError);
  EXPECT_FALSE(fs::exists(work_.folder));
}

}  // namespace
}  // namespace nerfpipe
