#include "stages/llff/poses_stage.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/common/dataset_folder.h"
#include "stages/common/npy.h"
#include "stages/common/verdict_file.h"
#include "stages/llff/depth_bounds.h"
#include "tests/stages/llff/llff_scene.h"
#include "tests/stages/llff/stage_test.h"

#include <algorithm>
#include <cstdio>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string Figure(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.4g", value);
  return text;
}

class PosesStageTest : public LlffStageTest {
 protected:
  StageResult Run(const char* bounds = "robust") {
    const std::unique_ptr<Stage> stage = MakePosesStage();
    Set(stage.get(), "bounds", bounds);
    return stage->Run(context_);
  }

  NpyArray Table() { return ReadNpy(context_.out / "poses_bounds.npy"); }

  // The smallest near and the largest far of the rows.
  DepthBounds Extremes() {
    const NpyArray table = Table();
    DepthBounds all = {1e9, 0};
    for (int64_t row = 0; row < table.shape[0]; ++row) {
      all.near = std::min(all.near, table.values[17 * row + 15]);
      all.far = std::max(all.far, table.values[17 * row + 16]);
    }
    return all;
  }

  std::string Problem(const char* bounds = "robust") {
    try {
      return "result: " + Run(bounds).line;
    } catch (const UserError& error) {
      return error.what();
    }
  }
};

TEST_F(PosesStageTest, WritesWhatItPromises) {
  WriteLlffScene(LlffModel(), workspace_);
  const StageResult result = Run();
  ASSERT_EQ(result.state, StageResult::State::kDone) << result.line;
  EXPECT_THAT(MakePosesStage()->Outputs(),
              ElementsAre("poses_bounds.npy",
                          "transforms.json",
                          "config_nerf_pytorch.txt",
                          "scene_transform.json"));
  for (const std::string& output : MakePosesStage()->Outputs()) {
    EXPECT_TRUE(fs::exists(context_.out / output)) << output;
  }
  EXPECT_EQ(Table().shape, (std::vector<int64_t>{kSceneCameras, 17}));
  EXPECT_EQ(Table().values[4], 37);
  EXPECT_EQ(Table().values[9], 53);
  EXPECT_EQ(Table().values[14], 57.4);
  EXPECT_THAT(ReadFile(context_.out / "config_nerf_pytorch.txt"),
              HasSubstr("no_ndc = True\n"));
}

TEST_F(PosesStageTest, CamerasThatCannotBeTrustedAreRefusedUnlessAccepted) {
  WriteLlffScene(LlffModel(), workspace_);
  for (const char* word : {"good", "fair", "bad"}) {
    WriteVerdict({word, {"12 of 40 pairs do not fit"}},
                 workspace_ / "colmap/verdict.json");
    const StageResult result = Run();
    const bool bad = std::string(word) == "bad";
    EXPECT_EQ(result.state == StageResult::State::kFailed, bad) << word;
    if (!bad) continue;
    EXPECT_THAT(result.line, HasSubstr("--set colmap.accept_bad=yes"));
    EXPECT_THAT(result.account, ElementsAre("12 of 40 pairs do not fit"));
  }
  const std::unique_ptr<Stage> stage = MakePosesStage();
  for (const OptionGroup& group : stage->SharedOptions()) {
    if (group.name() == "colmap") group.Find("accept_bad")->set("yes");
  }
  EXPECT_EQ(stage->Run(context_).state, StageResult::State::kDone);
}

TEST_F(PosesStageTest, ADamagedVerdictIsNamed) {
  WriteLlffScene(LlffModel(), workspace_);
  fs::create_directories(workspace_ / "colmap");
  WriteFileAtomically(workspace_ / "colmap/verdict.json", "{\"verdict\": 3}");
  EXPECT_THAT(Problem(), HasSubstr("verdict.json' is damaged"));
}

// The figures of the summary are those of the scene.
TEST_F(PosesStageTest, TellsTheFiguresOfTheScene) {
  WriteLlffScene(LlffModel(), workspace_);
  const StageResult result = Run();
  double least = 1e9, most = 0, sum = 0;
  int64_t count = 0;
  for (const SceneCamera& camera : LlffCameras()) {
    for (const SceneVector& point : ScenePoints()) {
      const double depth = camera.Project(point)[2];
      if (depth <= 0) continue;
      least = std::min(least, depth);
      most = std::max(most, depth);
      sum += depth;
      ++count;
    }
  }
  const auto& facts = result.facts["poses"];
  EXPECT_EQ(facts["images"], kSceneCameras);
  EXPECT_NEAR(facts["depth_min"], least, 1e-9);
  EXPECT_NEAR(facts["depth_max"], most, 1e-9);
  EXPECT_NEAR(facts["depth_mean"], sum / static_cast<double>(count), 1e-9);
  EXPECT_EQ(facts["near"], Extremes().near);
  EXPECT_EQ(facts["far"], Extremes().far);
  EXPECT_LT(facts["loaded_reprojection_error_px"], 1e-9);
  EXPECT_THAT(result.line,
              HasSubstr("11 poses, near " + Figure(Extremes().near) + ", far " +
                        Figure(Extremes().far) + ", "));
  ASSERT_EQ(report_.tables.size(), 1u);
  EXPECT_THAT(report_.tables[0].rows[0],
              ElementsAre("1",
                          "11",
                          "53x37",
                          "57.4",
                          "60",
                          Figure(least),
                          Figure(sum / static_cast<double>(count)),
                          Figure(most),
                          Figure(Extremes().near),
                          Figure(Extremes().far)));
  EXPECT_EQ(report_.tables[0].header.size(), 10u);
}

TEST_F(PosesStageTest, BoundsAreRobustUnlessLlffsAreAskedFor) {
  WriteLlffScene(LlffModel(), workspace_);
  ASSERT_EQ(MakePosesStage()->Run(context_).state, StageResult::State::kDone);
  EXPECT_LT(Extremes().far, 30);
  EXPECT_THAT(report_.details,
              Contains(HasSubstr("bounds leave out 0 points behind a camera, "
                                 "0 unreliable ones and ")));
  ASSERT_EQ(Run("robust").state, StageResult::State::kDone);
  EXPECT_LT(Extremes().far, 30);
  ASSERT_EQ(Run("llff").state, StageResult::State::kDone);
  EXPECT_GT(Extremes().far, 300);
}

TEST_F(PosesStageTest, LlffBoundsAreRefusedWhereNearIsNotPositive) {
  ColmapModel model = LlffModel();
  const uint32_t id = SceneImageId(5);
  auto& [point_id, point] = *model.points.begin();
  point.xyz = model.images.at(id).camera_from_world.Inverse() *
              Eigen::Vector3d(0, 0, -0.3);
  WriteLlffScene(model, workspace_);
  EXPECT_THAT(Problem(), HasSubstr("result: 11 poses"));
  EXPECT_THAT(Problem("llff"), HasSubstr("'IMG 10.jpg' has near depth -0.1"));
  EXPECT_THAT(Problem("llff"), HasSubstr("set poses.bounds to robust"));
}

TEST_F(PosesStageTest, LlffBoundsAreRefusedForAnImageWithoutPoints) {
  ColmapModel model = LlffModel();
  for (auto& [id, point] : model.points) {
    std::erase_if(point.track, [](const auto& element) {
      return element.image_id == SceneImageId(2);
    });
  }
  WriteLlffScene(model, workspace_);
  EXPECT_THAT(Problem("llff"), HasSubstr("'IMG 7.jpg' has near depth nan"));
  ASSERT_EQ(Run().state, StageResult::State::kDone);
  EXPECT_THAT(report_.warnings,
              Contains(HasSubstr("1 images see too few points")));
}

TEST_F(PosesStageTest, WarnsOfStrayPointsBeforeACamera) {
  ColmapModel model = LlffModel();
  const Rigid3 pose =
      model.images.at(SceneImageId(1)).camera_from_world.Inverse();
  for (int k = 0; k < 30; ++k) {
    ColmapPoint point;
    point.xyz = pose * Eigen::Vector3d(0, 0, 0.05 + 0.001 * k);
    point.track.push_back({SceneImageId(1), 0});
    model.points[5000 + k] = point;
  }
  // Reliable ones are too few to go without these.
  for (auto& [id, point] : model.points) point.error = 5;
  WriteLlffScene(model, workspace_);
  Run();
  EXPECT_THAT(report_.warnings,
              Contains(HasSubstr("near depth of 1 images raised to a fifth")));
}

TEST_F(PosesStageTest, WarnsBelowTwentyImages) {
  WriteLlffScene(LlffModel(19), workspace_);
  Run();
  EXPECT_THAT(report_.warnings,
              ElementsAre(HasSubstr("only 19 images have a pose")));
  report_.warnings.clear();
  WriteLlffScene(LlffModel(20), workspace_);
  EXPECT_EQ(Run().facts["poses"]["images"], 20);
  EXPECT_THAT(report_.warnings, IsEmpty());
  EXPECT_THAT(report_.details,
              Contains(HasSubstr(
                  "nerf-pytorch will take 22.1 kB for the images at factor 8, "
                  "1.4 MB at factor 1")));
}

TEST_F(PosesStageTest, WarnsOfAFarDepthThatIsOutOfAllProportion) {
  ColmapModel model = LlffModel();
  WriteLlffScene(model, workspace_);
  Run("llff");
  EXPECT_THAT(report_.warnings, Each(Not(HasSubstr("times near"))));
  for (auto& observation : model.points.rbegin()->second.xyz) {
    observation *= 1000;
  }
  WriteLlffScene(model, workspace_);
  Run("llff");
  EXPECT_THAT(report_.warnings,
              Contains(HasSubstr("times near: look for stray points")));
}

TEST_F(PosesStageTest, WarnsOfPng) {
  ColmapModel model = LlffModel();
  for (auto& [id, image] : model.images) {
    image.name = image.name.substr(0, image.name.size() - 3) + "png";
  }
  WriteLlffScene(model, workspace_);
  Run();
  EXPECT_THAT(report_.warnings, Contains(HasSubstr("11 images are PNG")));
}

TEST_F(PosesStageTest, MasksAreNamedInTransformsJson) {
  WriteLlffScene(LlffModel(), workspace_);
  fs::create_directories(workspace_ / "masks");
  ASSERT_EQ(Run().state, StageResult::State::kDone);
  EXPECT_THAT(ReadFile(context_.out / "transforms.json"),
              Not(HasSubstr("mask_path")));
  WriteImage(Image(53, 37, 1), workspace_ / "masks" / "IMG 7.png");
  ASSERT_EQ(Run().state, StageResult::State::kDone);
  EXPECT_THAT(ReadFile(context_.out / "transforms.json"),
              HasSubstr("\"mask_path\":\"masks/IMG 7.png\""));
}

// The view of one image with another lens, and its picture.
ColmapModel WithASecondLens() {
  ColmapModel model = LlffModel();
  ColmapImage& image = model.images.at(SceneImageId(3));
  image.camera_id = 5;
  model.cameras[5] = {1, 61, 43, {70.5, 70.5, 30.5, 21.5}};
  for (ColmapImage::Observation& observation : image.observations) {
    if (observation.point3d_id < 0) continue;
    const Eigen::Vector3d x =
        image.camera_from_world * model.points.at(observation.point3d_id).xyz;
    observation.xy = 70.5 * x.hnormalized() + Eigen::Vector2d(30.5, 21.5);
  }
  return model;
}

TEST_F(PosesStageTest, SeveralCamerasAreWrittenAndToldToBeNotForNerfPytorch) {
  WriteLlffScene(WithASecondLens(), workspace_);
  EXPECT_THAT(Problem(),
              HasSubstr("IMG 8.jpg is 53x37 but its camera is 61x43"));
  WriteImage(Image(61, 43, 3), workspace_ / "images" / "IMG 8.jpg");
  report_.tables.clear();
  const StageResult result = Run();
  ASSERT_EQ(result.state, StageResult::State::kDone) << result.line;
  EXPECT_THAT(result.line, HasSubstr("px, for readers of several cameras"));
  EXPECT_THAT(report_.warnings,
              Contains(HasSubstr("do not open this workspace with it")));
  EXPECT_LT(result.facts["poses"]["loaded_reprojection_error_px"], 1e-9);
  EXPECT_THAT(report_.tables[0].rows[0][2], "2 sizes");
  EXPECT_THAT(report_.tables[0].rows[0][3], "57.4 to 70.5");
  const NpyArray table = Table();
  const std::vector<int> rows = LlffRows();
  for (size_t row = 0; row < rows.size(); ++row) {
    EXPECT_EQ(table.values[17 * row + 9], rows[row] == 3 ? 61 : 53);
  }
  EXPECT_THAT(ReadFile(context_.out / "config_nerf_pytorch.txt"),
              HasSubstr("# nerf-pytorch cannot train on this folder"));
  WriteImage(Image(61, 43, 3), workspace_ / "images" / "more.jpg");
  EXPECT_THAT(Problem(), HasSubstr("holds 12 images but there are 11 poses"));
}

TEST_F(PosesStageTest, OneImageIsTooFew) {
  WriteLlffScene(LlffModel(1), workspace_);
  const StageResult one = Run();
  EXPECT_EQ(one.state, StageResult::State::kFailed);
  EXPECT_THAT(one.line, HasSubstr("only 1 image has a pose"));
  WriteLlffScene(LlffModel(2), workspace_);
  EXPECT_EQ(Run().state, StageResult::State::kDone);
}

TEST_F(PosesStageTest, StopsWhenAnImageIsMissing) {
  WriteLlffScene(LlffModel(), workspace_);
  fs::remove(workspace_ / "images" / "IMG 9.jpg");
  EXPECT_THAT(Problem(), HasSubstr("holds 10 images but there are 11 poses"));
}

// Both sides have to be the model's.
TEST_F(PosesStageTest, RefusesImagesOfAnotherSizeThanTheModel) {
  WriteLlffScene(LlffModel(), workspace_);
  for (const auto& [width, height] : {std::pair(53, 36), {54, 37}}) {
    for (const std::string& name : SortedFileNames(workspace_ / "images")) {
      WriteImage(Image(width, height, 3), workspace_ / "images" / name);
    }
    const StageResult result = Run();
    EXPECT_EQ(result.state, StageResult::State::kFailed);
    EXPECT_THAT(
        result.line,
        HasSubstr("images are " + std::to_string(width) + "x" +
                  std::to_string(height) + " but the model's camera is 53x37"));
  }
}

// What the format does not know is not written down wrong.
TEST_F(PosesStageTest, RefusesTheLensOfAnUntidyModel) {
  WriteLlffScene(SceneModel(OneLensCameras(), true), workspace_);
  EXPECT_THAT(Problem(), HasSubstr("camera 9 has two different focal lengths"));
  EXPECT_THAT(Problem(), HasSubstr("run the colmap stage, which undistorts"));
  EXPECT_FALSE(fs::exists(context_.out / "poses_bounds.npy"));
}

TEST_F(PosesStageTest, TheSceneIsCalledAfterTheCapture) {
  WriteLlffScene(LlffModel(), workspace_);
  const auto name_of = [&](const char* capture) {
    context_.capture = capture;
    Run();
    const std::string text = ReadFile(context_.out / "config_nerf_pytorch.txt");
    const size_t start = text.find("expname = ") + 10;
    return text.substr(start, text.find('\n', start) - start);
  };
  EXPECT_EQ(name_of("some/where/car.mp4"), "car");
  EXPECT_EQ(name_of("some/where/photos/"), "photos");
  EXPECT_EQ(name_of("some/where/photos"), "photos");
  EXPECT_EQ(name_of(""), workspace_.path().stem().string());
}

}  // namespace
}  // namespace nerfpipe
