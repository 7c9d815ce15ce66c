#include "pipeline/base/atomic_file.h"
#include "stages/media/image_file.h"
#include "stages/nerf/jobs/rendering.h"
#include "stages/nerf/jobs/training.h"
#include "stages/nerf/trainer.h"
#include "tests/stages/nerf/data/tiny_scene.h"
#include "tests/stages/nerf/jobs/tiny_training.h"
#include "tests/temporary_folder.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using nerf::TinyScene;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A workspace as the stages before leave it.
class StagesTest : public ::testing::Test {
 protected:
  StagesTest() {
    const TinyScene scene;
    scene.WriteImages(workspace() / "images");
    scene.WriteLlff(workspace());
    scene.WriteColmap(workspace() / "sparse/0");
  }

  fs::path workspace() const { return folder_.path() / "workspace"; }

  StageContext Context(const std::string& name,
                       Report& report = SilentReport()) const {
    StageContext context;
    context.workspace = workspace();
    context.out = folder_.path() / (name + " out");
    context.scratch = folder_.path() / (name + " scratch");
    context.threads = 1;
    context.device = "cpu";
    context.report = &report;
    fs::remove_all(context.out);
    fs::create_directories(context.out);
    fs::create_directories(context.scratch);
    return context;
  }

  // Runs until the report asks for the end, which must happen.
  static void RunInterrupted(Stage& stage, const StageContext& context) {
    EXPECT_THROW(stage.Run(context), Interrupted);
    RequestInterrupt(false);
    fs::remove_all(context.out);
    fs::create_directories(context.out);
  }

  TemporaryFolder folder_;
};

std::vector<int> StepsIn(const fs::path& metrics) {
  std::vector<int> steps;
  std::istringstream lines(ReadFile(metrics));
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json json = nlohmann::json::parse(line);
    if (json.contains("loss")) {
      EXPECT_TRUE(json["loss"].is_number());
      steps.push_back(json["step"].get<int>());
    }
  }
  return steps;
}

TEST_F(StagesTest, TrainWritesEverythingAndResumesToTheSameParameters) {
  for (const std::string method : {"ngp", "nerf"}) {
    const std::unique_ptr<TrainStage> stage = TinyTrainStage(method);
    EXPECT_THAT(stage->Inputs(),
                ElementsAre("poses_bounds.npy", "images", "masks", "sparse/0"));
    const std::string folder = "train/" + method;
    EXPECT_THAT(stage->Outputs(), ElementsAre(folder));

    const StageContext whole = Context(method + " whole");
    const StageResult result = stage->Run(whole);
    ASSERT_EQ(result.state, StageResult::State::kDone) << result.line;
    const nlohmann::ordered_json& facts = result.facts["training"][method];
    EXPECT_EQ(facts["steps"], 40);
    EXPECT_GT(facts["seconds"].get<double>(), 0);
    EXPECT_GT(facts["psnr"].get<double>(), 3);
    EXPECT_LT(facts["psnr"].get<double>(), 100);
    EXPECT_TRUE(facts["ssim"].is_number());
    const Image pair = ReadImage(whole.out / folder / "test" / "IMG 7.png");
    const Image truth = TinyScene().Picture(2);
    ASSERT_EQ(pair.width, 2 * truth.width);
    EXPECT_EQ(pair.height, truth.height);
    EXPECT_EQ(pair.At(truth.width + 5, 3)[1], truth.At(5, 3)[1]);
    EXPECT_THAT(StepsIn(whole.out / folder / "metrics.jsonl"),
                ElementsAre(10, 20, 30, 40));

    Interrupter report("Training", 20);
    const StageContext parts = Context(method + " parts", report);
    RunInterrupted(*stage, parts);
    report = Interrupter("Training", 1000);
    stage->Run(parts);
    EXPECT_THAT(report.lines,
                ::testing::Contains("Going on at step 21 of 40."));
    EXPECT_THAT(StepsIn(parts.out / folder / "metrics.jsonl"),
                ElementsAre(10, 20, 30, 40));
    const auto undisturbed =
        nerf::Trainer::FromCheckpoint(whole.out / folder / "checkpoint.pt", 1);
    const auto resumed =
        nerf::Trainer::FromCheckpoint(parts.out / folder / "checkpoint.pt", 1);
    const auto expected = undisturbed->method().Parameters();
    const auto actual = resumed->method().Parameters();
    ASSERT_EQ(expected.size(), actual.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_TRUE(torch::equal(expected[i].second, actual[i].second))
          << expected[i].first;
    }
  }
}

TEST_F(StagesTest, DamagedCheckpointOfAnUnfinishedRunStartsAnew) {
  const std::unique_ptr<TrainStage> stage = TinyTrainStage("ngp");
  Interrupter report("nothing", 0);
  const StageContext context = Context("damaged", report);
  WriteFileAtomically(context.scratch / "checkpoint.pt", "not a checkpoint");
  EXPECT_EQ(stage->Run(context).state, StageResult::State::kDone);
  EXPECT_THAT(report.lines,
              ::testing::Contains(HasSubstr("starts from the beginning")));
}

TEST_F(StagesTest, OnlyTheGroupOfTheMethodMatters) {
  const std::unique_ptr<TrainStage> stage = TinyTrainStage("nerf");
  Set(*stage, "train.factor", "0");
  EXPECT_EQ(stage->Inputs()[1], "images") << "nothing is known of them yet";
  Set(*stage, "train.factor", "8");
  EXPECT_EQ(stage->Inputs()[1], "images_8");
  std::vector<std::string> matter;
  for (const OptionGroup& group : stage->Options()) {
    if (stage->Matters(group)) {
      matter.push_back(group.name());
    }
  }
  EXPECT_THAT(matter, ElementsAre("train", "nerf"));
}

TEST_F(StagesTest, RenderGoesOnAfterFinishedFrames) {
  const std::unique_ptr<TrainStage> train = TinyTrainStage("ngp");
  StageContext training = Context("train");
  training.out = workspace();
  train->Run(training);

  const std::unique_ptr<RenderStage> render = MakeRenderStage({train.get()});
  Set(*render, "render.frames", "4");
  Set(*render, "render.width", "33");
  EXPECT_THAT(render->Inputs(), ElementsAre("train/ngp"));
  EXPECT_EQ(render->Outputs()[0], "renders/video.mp4");
  Interrupter report("Rendering", 2);
  const StageContext context = Context("render", report);
  RunInterrupted(*render, context);
  const fs::path first = context.scratch / "000000.png";
  ASSERT_TRUE(fs::exists(first));
  EXPECT_FALSE(fs::exists(context.scratch / "000003.png"));
  const fs::file_time_type written = fs::last_write_time(first);

  report = Interrupter("nothing", 0);
  const StageResult result = render->Run(context);
  ASSERT_EQ(result.state, StageResult::State::kDone) << result.line;
  EXPECT_EQ(fs::last_write_time(first), written);
  EXPECT_EQ(result.facts["results"]["video"], "renders/video.mp4");
  EXPECT_EQ(result.facts["results"]["depth_video"], "renders/video_depth.mp4");
  EXPECT_EQ(result.facts["render"]["path"], "orbit");
  for (const std::string& output : render->Outputs()) {
    EXPECT_GT(fs::file_size(context.out / output), 100) << output;
  }
  // The first camera of the path is that of IMG 10, of 73 x 49 pixels.
  const ImageSize size = ReadImageSize(context.out / "renders/video.png");
  EXPECT_EQ(size.width, 33);
  EXPECT_EQ(size.height, 22);
}

TEST_F(StagesTest, RenderNamesADamagedCheckpoint) {
  const std::unique_ptr<TrainStage> train = TinyTrainStage("ngp");
  StageContext training = Context("train");
  training.out = workspace();
  train->Run(training);
  const fs::path checkpoint = workspace() / "train/ngp/checkpoint.pt";
  fs::resize_file(checkpoint, fs::file_size(checkpoint) / 2);
  const std::unique_ptr<RenderStage> render = MakeRenderStage({train.get()});
  try {
    render->Run(Context("render"));
    FAIL() << "no error";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("checkpoint.pt"));
  }
}

}  // namespace
}  // namespace nerfpipe
