// What a training is made of: the images held out, the kind of scene, the
// device, and a loss that stops being a number.

#include "stages/nerf/jobs/training.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/nerf/checkpoint.h"
#include "stages/nerf/jobs/devices.h"
#include "stages/nerf/jobs/scene_file.h"
#include "stages/nerf/trainer.h"
#include "tests/stages/nerf/data/tiny_scene.h"
#include "tests/stages/nerf/jobs/tiny_training.h"
#include "tests/temporary_folder.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/cuda.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using nerf::TinyScene;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

class TrainingTest : public ::testing::Test {
 protected:
  TrainingTest() : train_(TinyTrainStage("nerf")) {
    scene_.WriteImages(data() / "images");
    scene_.WriteTransforms(data());
    Set(*train_, "train.steps", "2");
  }

  fs::path data() const { return folder_ / "data"; }
  fs::path out() const { return folder_ / "out"; }
  fs::path scratch() const { return folder_ / "scratch"; }

  StageResult Train() {
    TrainJob job;
    job.dataset = data();
    job.settings = train_->settings();
    job.out = out();
    job.scratch = scratch();
    job.device = "cpu";
    job.memory = memory_;
    job.report = &report_;
    fs::remove_all(out());
    fs::create_directories(out());
    fs::create_directories(scratch());
    report_.lines.clear();
    return nerfpipe::Train(job);
  }

  const TinyScene scene_;
  const TemporaryFolder folder_;
  std::unique_ptr<TrainStage> train_;
  int64_t memory_ = 0;
  Interrupter report_{"nothing", 0};
};

std::vector<std::string> NamesOf(const std::vector<nerf::View>& views) {
  std::vector<std::string> names;
  for (const nerf::View& view : views) names.push_back(view.name);
  return names;
}

TEST_F(TrainingTest, EveryNthImageIsHeldOut) {
  Set(*train_, "train.llffhold", "5");
  StageResult result = Train();
  EXPECT_THAT(result.line, HasSubstr("on 3 held-out views"));
  SceneFile scene = ReadSceneFile(out() / kSceneFile);
  EXPECT_THAT(
      NamesOf(scene.views.test),
      ElementsAre(
          "images/IMG 10.png", "images/IMG 15.png", "images/IMG 9.png"));
  EXPECT_EQ(scene.views.train.size(), 8);
  EXPECT_EQ(scene.llffhold, 5);
  EXPECT_TRUE(fs::exists(out() / "test/images_IMG 15.png"));

  fs::remove_all(scratch());
  Set(*train_, "train.llffhold", "0");
  result = Train();
  EXPECT_EQ(result.state, StageResult::State::kDone);
  EXPECT_THAT(result.line, MatchesRegex("nerf, 2 steps at [0-9]+x[0-9]+"));
  EXPECT_FALSE(result.facts["training"]["nerf"].contains("psnr"));
  scene = ReadSceneFile(out() / kSceneFile);
  EXPECT_THAT(scene.views.test, IsEmpty());
  EXPECT_EQ(scene.views.train.size(), TinyScene::kCount);
  EXPECT_EQ(scene.llffhold, 0);
  EXPECT_FALSE(fs::exists(out() / "test"));
  EXPECT_THAT(ReadFile(out() / kMetricsFile), Not(HasSubstr("test_psnr")));
}

TEST_F(TrainingTest, FactorAndMemoryReachTheReader) {
  Set(*train_, "train.factor", "2");
  memory_ = 5000;
  try {
    Train();
    FAIL() << "no error";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("at factor 2"),
                      HasSubstr("--mem"),
                      HasSubstr("train.factor=4")));
  }
  memory_ = 0;
  Train();
  const SceneFile scene = ReadSceneFile(out() / kSceneFile);
  EXPECT_EQ(scene.factor, 2);
  EXPECT_EQ(scene.views.train[0].camera.width,
            (scene_.cameras[scene_.order[1]].width + 1) / 2);
}

TEST_F(TrainingTest, KindOfSceneMayBeSet) {
  Train();
  EXPECT_THAT(report_.lines, Contains(HasSubstr("Scene type ")));
  EXPECT_THAT(report_.lines, Not(Contains(HasSubstr("set by train.scene"))));
  fs::remove_all(scratch());
  Set(*train_, "train.scene", "forward-facing");
  Train();
  EXPECT_THAT(report_.lines,
              Contains(HasSubstr("Scene type forward-facing: set by "
                                 "train.scene")));
  const auto frame = [&] {
    return nerf::Trainer::FromCheckpoint(out() / kCheckpointFile, 1)->frame();
  };
  EXPECT_TRUE(frame().ndc);
  fs::remove_all(scratch());
  Set(*train_, "nerf.no_ndc", "yes");
  Train();
  EXPECT_FALSE(frame().ndc);
}

// Broken off after step 11, spoilt, and gone on with.
TEST_F(TrainingTest, LossThatIsNoNumberEndsTheRun) {
  Set(*train_, "train.steps", "40");
  Set(*train_, "train.report_every", "10");
  Set(*train_, "train.checkpoint_every", "1");
  report_ = Interrupter("Training", 10);
  EXPECT_THROW(Train(), Interrupted);
  RequestInterrupt(false);
  report_ = Interrupter("nothing", 0);
  const fs::path checkpoint = scratch() / kCheckpointFile;
  Spoil(checkpoint);
  const std::string metrics = ReadFile(scratch() / kMetricsFile);

  const StageResult result = Train();
  EXPECT_EQ(result.state, StageResult::State::kFailed);
  // The report of step 20 shows it, and the step after that is the last.
  EXPECT_EQ(result.line,
            "the loss is not a number after step 21; lower the learning rate "
            "(ngp.learning_rate, nerf.lrate, splat.mean_rate)");
  // Nothing is made of it, and what came before it stays.
  EXPECT_FALSE(fs::exists(out() / kCheckpointFile));
  EXPECT_EQ(nerf::Trainer::FromCheckpoint(checkpoint, 1)->step(), 11);
  EXPECT_EQ(ReadFile(scratch() / kMetricsFile), metrics);
}

TEST_F(TrainingTest, CheckpointsAreMadeOnTheWay) {
  Set(*train_, "train.steps", "12");
  Set(*train_, "train.report_every", "3");
  Set(*train_, "train.checkpoint_every", "5");
  Train();
  EXPECT_EQ(nerf::Trainer::FromCheckpoint(out() / kCheckpointFile, 1)->step(),
            12);
  // With all done it is known as such.
  const StageResult again = Train();
  EXPECT_EQ(again.state, StageResult::State::kDone);
  EXPECT_THAT(report_.lines, Not(Contains(HasSubstr("Going on"))));
}

// Of sizes that the fast kernels lack, four levels among them.
TEST_F(TrainingTest, RunInTheSlowFormSaysSo) {
  train_ = TinyTrainStage("ngp");
  Set(*train_, "train.steps", "2");
  const auto slow = HasSubstr("fast kernels of ngp");
  Train();
  EXPECT_THAT(report_.lines, Contains(slow));
  EXPECT_TRUE(nerf::Trainer::DeviceOf(out() / kCheckpointFile).is_cpu());
  report_.lines.clear();
  OpenTrained(out() / kCheckpointFile, 1, "auto", report_);
  EXPECT_THAT(report_.lines, Contains(slow));
  Set(*train_, "ngp.fused", "no");
  Train();
  EXPECT_THAT(report_.lines, Not(Contains(slow)));
}

TEST(DeviceTest, IsNamedOrRefused) {
  ASSERT_TRUE(DeviceNamed("cpu").has_value());
  EXPECT_TRUE(DeviceNamed("cpu")->is_cpu());
  EXPECT_FALSE(DeviceNamed("auto").has_value());
  for (const char* name : {"gpu", "", "cuda:99", "meta", "cuda:x"}) {
    try {
      DeviceNamed(name);
      FAIL() << name;
    } catch (const UserError& error) {
      EXPECT_THAT(error.what(),
                  AllOf(HasSubstr("no device '" + std::string(name) + "'"),
                        HasSubstr("use auto, cpu, cuda or cuda:N")));
    }
  }
  if (!torch::cuda::is_available()) {
    EXPECT_THROW(DeviceNamed("cuda"), UserError);
  }
}

}  // namespace
}  // namespace nerfpipe
