// From a trained scene to a file that others read.

#include "stages/nerf/jobs/export.h"

#include "pipeline/base/atomic_file.h"
#include "stages/common/scene_transform_file.h"
#include "stages/nerf/jobs/training.h"
#include "stages/nerf/splat_files/formats.h"
#include "stages/nerf/stage/export_stage.h"
#include "tests/stages/nerf/data/tiny_scene.h"
#include "tests/stages/nerf/jobs/tiny_training.h"
#include "tests/temporary_folder.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using nerf::TinyScene;
using ::testing::HasSubstr;

class ExportTest : public ::testing::Test {
 protected:
  ExportTest() {
    const TinyScene scene;
    scene.WriteImages(root() / "images");
    scene.WriteLlff(root());
    scene.WriteColmap(root() / "sparse/0");
    Set(*splat_, "splat.steps", "12");
    Set(*splat_, "splat.factor", "1");
    Set(*splat_, "splat.count", "150");
    Set(*splat_, "splat.first_count", "140");
  }

  fs::path root() const { return folder_.path() / "w"; }

  StageResult Run(Stage& stage) {
    StageContext context;
    context.workspace = context.out = root();
    context.scratch = folder_ / ("scratch " + stage.Name());
    context.device = "cpu";
    context.report = &SilentReport();
    fs::create_directories(context.scratch);
    return stage.Run(context);
  }

  ExportJob Job(const std::string& format) const {
    ExportJob job;
    job.trained = root() / "train/splat";
    job.transform = root() / kSceneTransformFile;
    job.files = {{format, root() / ("one." + format)}};
    job.report = &SilentReport();
    return job;
  }

  const TemporaryFolder folder_;
  std::unique_ptr<TrainStage> train_ = MakeTrainStage(LinkedTrainerLibrary);
  std::unique_ptr<SplatStage> splat_ =
      MakeSplatStage(LinkedTrainerLibrary, train_.get());
};

// A shift and a turn about z, with a scale.
constexpr double kScale = 2.5;
const std::array<double, 12> kFrame = {
    0, -kScale, 0, 3, kScale, 0, 0, -4, 0, 0, kScale, 0.5};

TEST_F(ExportTest, FilesStandInTheFrameOfTheWorkspace) {
  ASSERT_EQ(Run(*splat_).state, StageResult::State::kDone);
  SceneTransform frame;
  frame.exported_from_world = kFrame;
  frame.scale = kScale;
  WriteFileAtomically(root() / kSceneTransformFile, SceneTransformJson(frame));
  const std::unique_ptr<ExportStage> stage = MakeExportStage(*splat_);
  const StageResult result = Run(*stage);
  EXPECT_THAT(result.line, HasSubstr("gaussians: scene.ply "));
  for (const std::string& output : stage->Outputs()) {
    EXPECT_TRUE(fs::exists(root() / output)) << output;
  }
  const auto trainer =
      nerf::Trainer::FromCheckpoint(root() / "train/splat/checkpoint.pt", 1);
  const auto& method =
      dynamic_cast<const nerf::splat::SplatMethod&>(trainer->method());
  const nerf::splat::GaussianSet& set = method.gaussians();
  const splats::SplatCloud cloud =
      splats::ReadSplats(root() / "exports/scene.ply");
  ASSERT_EQ(static_cast<int64_t>(cloud.count()), set.count());
  EXPECT_EQ(result.facts.at("export").at("gaussians"), set.count());
  const auto& space = method.space();
  for (size_t i = 0; i < cloud.count(); i += 13) {
    double world[3];
    double exported[3];
    for (int k = 0; k < 3; ++k) {
      world[k] =
          set.at(static_cast<int64_t>(i), k) / space.scale + space.centre[k];
    }
    for (int r = 0; r < 3; ++r) {
      exported[r] = kFrame[4 * r + 3];
      for (int k = 0; k < 3; ++k) exported[r] += kFrame[4 * r + k] * world[k];
      EXPECT_NEAR(cloud.means[3 * i + r], exported[r], 1e-4);
    }
    for (int k = 0; k < 3; ++k) {
      const double variance = std::exp(
          2.0 * set.at(static_cast<int64_t>(i), nerf::splat::kScaleRow + k));
      const double filtered = variance + set.smoothing()[i];
      EXPECT_NEAR(cloud.log_scales[3 * i + k],
                  0.5 * std::log(filtered) + std::log(kScale / space.scale),
                  1e-4);
    }
    EXPECT_NEAR(splats::OpacityOf(cloud.logits[i]),
                0.99 * set.OpacityOf(static_cast<int64_t>(i)),
                1e-4);
  }
}

TEST_F(ExportTest, WithoutAFrameItIsFoundFromTheCameras) {
  EXPECT_THROW(Export(Job("ply")), UserError) << "nothing is trained";
  ASSERT_EQ(Run(*splat_).state, StageResult::State::kDone);
  Export(Job("spz"));
  const splats::SplatCloud cloud = splats::ReadSplats(root() / "one.spz");
  EXPECT_GT(cloud.count(), 50);
  // The cameras look at the origin, more or less.
  double sum = 0;
  for (size_t i = 0; i < cloud.count(); ++i) sum += cloud.means[3 * i];
  EXPECT_LT(std::abs(sum / static_cast<double>(cloud.count())), 3);
}

}  // namespace
}  // namespace nerfpipe
