// The stages `poses` and `downsample`, run as the engine runs them.

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/common/area_average.h"
#include "stages/common/axes.h"
#include "stages/common/dataset_folder.h"
#include "stages/common/npy.h"
#include "stages/llff/downsample_stage.h"
#include "stages/llff/nerf_pytorch_config.h"
#include "stages/llff/poses_stage.h"
#include "stages/llff/shared_camera.h"
#include "tests/stages/llff/ring_scene.h"
#include "tests/temporary_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class LlffStagesTest : public testing::Test {
 protected:
  LlffStagesTest() {
    context_.workspace = workspace_;
    context_.out = workspace_ / "out";
    context_.capture = "some/where/car.mp4";
    context_.threads = 2;
    context_.report = &SilentReport();
    fs::create_directories(context_.out);
  }

  static void Set(Stage* stage, const char* option, const char* value) {
    for (const OptionGroup& group : stage->Options()) {
      const OptionField* field = group.Find(option);
      ASSERT_NE(field, nullptr);
      EXPECT_FALSE(field->set(value).has_value());
    }
  }

  const TemporaryFolder workspace_;
  StageContext context_;
};

TEST_F(LlffStagesTest, PosesWritesWhatItPromises) {
  const ColmapModel model = RingModel(21);
  WriteRingScene(model, workspace_);
  const std::unique_ptr<Stage> stage = MakePosesStage();
  const StageResult result = stage->Run(context_);
  ASSERT_EQ(result.state, StageResult::State::kDone) << result.line;
  for (const std::string& output : stage->Outputs()) {
    EXPECT_TRUE(fs::exists(context_.out / output)) << output;
  }
  EXPECT_EQ(ReadNpy(context_.out / "poses_bounds.npy").shape,
            (std::vector<int64_t>{21, 17}));
  EXPECT_LT(result.facts["poses"]["loaded_reprojection_error_px"], 1e-9);

  const auto json =
      nlohmann::json::parse(ReadFile(context_.out / "transforms.json"));
  EXPECT_EQ(json["camera_model"], "PINHOLE");
  EXPECT_EQ(json["fl_x"], kRingFocal);
  EXPECT_EQ(json["cy"], kRingHeight / 2.0);
  ASSERT_EQ(json["frames"].size(), 21u);
  EXPECT_EQ(json["frames"][1]["file_path"], "images/00002.jpg");
  const Rigid3 pose =
      OpenGlFromColmapAxes(model.images.at(993).camera_from_world.Inverse());
  const auto matrix = json["frames"][1]["transform_matrix"];
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(matrix[i][2], pose.rotation(i, 2), 1e-12);
    EXPECT_NEAR(matrix[i][3], pose.translation[i], 1e-12);
  }
  EXPECT_EQ(matrix[3], nlohmann::json({0, 0, 0, 1}));
  // The ring lies inside the box that instant-ngp will use.
  EXPECT_EQ(json["aabb_scale"], 4);
  EXPECT_LT(json["up"][1], -0.9);  // y points down in this scene

  const std::string config = ReadFile(context_.out / "config_nerf_pytorch.txt");
  EXPECT_THAT(config, HasSubstr("expname = car\n"));
  EXPECT_THAT(config, HasSubstr("factor = 8\n"));
  EXPECT_THAT(config, HasSubstr("no_ndc = True\nspherify = True\nlindisp"));
}

TEST_F(LlffStagesTest, ForwardFacingScenesKeepNdc) {
  EXPECT_TRUE(IsForwardFacing(RingModel(9, 5, 0.6)));
  EXPECT_FALSE(IsForwardFacing(RingModel(9, 5, 2.4)));
  EXPECT_THAT(NerfPytorchConfig("fern", true), Not(HasSubstr("no_ndc")));
}

TEST_F(LlffStagesTest, PosesStopsWhenAnImageIsMissing) {
  WriteRingScene(RingModel(9), workspace_);
  fs::remove(workspace_ / "images" / "00005.jpg");
  EXPECT_THROW(MakePosesStage()->Run(context_), UserError);
}

TEST_F(LlffStagesTest, PosesRefusesImagesOfAnotherSizeThanTheModel) {
  WriteRingScene(RingModel(4), workspace_);
  for (const std::string& name : SortedFileNames(workspace_ / "images")) {
    WriteImage(Image(32, 24, 3), workspace_ / "images" / name);
  }
  const StageResult result = MakePosesStage()->Run(context_);
  EXPECT_EQ(result.state, StageResult::State::kFailed);
  EXPECT_THAT(result.line, HasSubstr("images are 32x24"));
}

TEST_F(LlffStagesTest, LlffBoundsAreRefusedWhereNearIsNotPositive) {
  ColmapModel model = RingModel(4);
  model.points.begin()->second.xyz = {0, 0, -40};
  WriteRingScene(model, workspace_);
  context_.capture = "some/where/photos/";
  const std::unique_ptr<Stage> stage = MakePosesStage();
  ASSERT_EQ(stage->Run(context_).state, StageResult::State::kDone);
  EXPECT_THAT(ReadFile(context_.out / "config_nerf_pytorch.txt"),
              HasSubstr("expname = photos\n"));
  Set(stage.get(), "bounds", "llff");
  EXPECT_THROW(stage->Run(context_), UserError);
}

TEST(SharedPinhole, WantsOneCentredUndistortedCamera) {
  ColmapModel model = RingModel(3);
  EXPECT_EQ(SharedPinhole(model, "x").fx, kRingFocal);
  model.cameras[2] = model.cameras[1];
  model.images.begin()->second.camera_id = 2;
  EXPECT_EQ(SharedPinhole(model, "x").height, kRingHeight);
  model.cameras[2].params[0] = model.cameras[2].params[1] = 61;
  EXPECT_THROW(SharedPinhole(model, "x"), UserError);
  model.cameras[2] = {1, 64, 48, {60, 60, 33, 24}};
  EXPECT_THROW(SharedPinhole(model, "x"), UserError);
  model.cameras[2] = {2, 64, 48, {60, 32, 24, 0.1}};
  EXPECT_THROW(SharedPinhole(model, "x"), UserError);
}

TEST_F(LlffStagesTest, DownsampleKeepsCountOrderAndSizes) {
  WriteRingScene(RingModel(5), workspace_);
  const std::unique_ptr<Stage> stage = MakeDownsampleStage();
  EXPECT_THAT(stage->Outputs(),
              ElementsAre("images_2", "images_4", "images_8"));
  const StageResult result = stage->Run(context_);
  ASSERT_EQ(result.state, StageResult::State::kDone) << result.line;
  for (const int factor : {2, 4, 8}) {
    const fs::path folder = context_.out / ImagesFolderName(factor);
    EXPECT_EQ(SortedFileNames(folder), SortedFileNames(workspace_ / "images"));
    for (const std::string& name : SortedFileNames(folder)) {
      const Image copy = ReadImage(folder / name);
      const Image expected =
          AreaAverage(ReadImage(workspace_ / "images" / name),
                      kRingWidth / factor,
                      kRingHeight / factor);
      ASSERT_EQ(copy.width, expected.width);
      ASSERT_EQ(copy.height, expected.height);
      for (size_t i = 0; i < copy.pixels.size(); ++i) {
        ASSERT_NEAR(copy.pixels[i], expected.pixels[i], 4) << name;
      }
    }
  }
}

TEST_F(LlffStagesTest, DownsampleFactorsAreRead) {
  const std::unique_ptr<Stage> stage = MakeDownsampleStage();
  Set(stage.get(), "factors", "8, 3");
  EXPECT_THAT(stage->Outputs(), ElementsAre("images_3", "images_8"));
  for (const char* bad : {"", "1", "2,", "2;4", "x", "2,128", ","}) {
    Set(stage.get(), "factors", bad);
    EXPECT_THROW(stage->Outputs(), UserError) << bad;
  }
}

TEST_F(LlffStagesTest, DownsampleRefusesMixedSizes) {
  WriteRingScene(RingModel(3), workspace_);
  WriteImage(Image(48, 64, 3), workspace_ / "images" / "00002.jpg");
  EXPECT_THROW(MakeDownsampleStage()->Run(context_), UserError);
}

}  // namespace
}  // namespace nerfpipe
