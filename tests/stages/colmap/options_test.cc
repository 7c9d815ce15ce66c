// What the options of the stage change, and what it says of the disk.

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "stages/colmap/outputs.h"
#include "stages/colmap/refinement/undistortion.h"
#include "stages/colmap/refinement/warp.h"
#include "stages/common/dataset_folder.h"
#include "tests/stages/colmap/stage_test.h"
#include "tests/stages/common/scene_model.h"

#include <filesystem>
#include <memory>
#include <string_view>

#include <colmap/scene/database.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Ten photos, one of which is not kept, in little memory.
TEST_F(ColmapStageTest, OptionsReachColmap) {
  AddCornerFrames(10);
  capture_.frames[4].kept = false;
  capture_.frames[4].focal = 9;
  capture_.frames[2].focal = 0.74;
  capture_.frames[6].focal = 0.75;
  capture_.frames[9].focal = 0.755;
  memory_ = 60000000;
  const StageResult result = Run("photos",
                                 2,
                                 "scratch",
                                 {{"camera_model", "SIMPLE_RADIAL"},
                                  {"max_features", "400"},
                                  {"jpeg_quality", "60"}});
  ASSERT_EQ(result.state, StageResult::State::kDone) << result.line;
  EXPECT_THAT(result.line, HasSubstr("9 of 9 images"));
  EXPECT_TRUE(
      result.line.ends_with(", features at 320 pixels for want of memory"));
  EXPECT_EQ(result.reduced,
            "features were looked for at 320 pixels instead of 1600");
  EXPECT_GT(result.memory_wanted, memory_);
  EXPECT_THAT(
      report_.warnings,
      Contains(HasSubstr("features are looked for at 320 pixels "
                         "instead of 1600, to stay within the 60.0 MB")));
  EXPECT_THAT(report_.details, Contains(HasSubstr("1 threads")));
  EXPECT_TRUE(fs::exists(root_ / "scratch" / "at-320" / "features"));

  const fs::path out = root_ / "out";
  const colmap::Database database((out / "database.db").string());
  EXPECT_EQ(database.NumImages(), 9u);
  EXPECT_LE(database.MaxNumKeypoints(), 400u);
  EXPECT_GT(database.MaxNumKeypoints(), 300u);
  EXPECT_EQ(database.NumMatchedImagePairs(), 36u);  // each with each
  const colmap::Camera camera = database.ReadCamera(1);
  EXPECT_EQ(camera.ModelName(), "SIMPLE_RADIAL");
  // The middle of the three that are kept.
  EXPECT_NEAR(camera.params[0],
              0.75 * std::hypot(CornerCamera().width, CornerCamera().height),
              1e-9);
  EXPECT_THAT(ReadFile(out / "project.ini"),
              HasSubstr("camera_model=SIMPLE_RADIAL\n[SiftExtraction]\n"
                        "max_image_size=320\nmax_num_features=400\n"));
  EXPECT_THAT(ReadFile(out / "project.ini"),
              HasSubstr("image_path=" + (root_ / "frames").string() + "\n"));
  EXPECT_EQ(
      ReadColmapModel(out / "colmap/sparse/0").cameras.begin()->second.model_id,
      2);
  EXPECT_EQ(SortedFileNames(out / "images").size(), 9u);
  EXPECT_FALSE(fs::exists(out / "images" / "10005.jpg"));
  EXPECT_TRUE(fs::is_empty(out / "colmap" / "frames"));
}

// Asks to stop when a task begins.
class StopsAt : public Listener {
 public:
  explicit StopsAt(std::string_view task) : task_(task) {}
  ~StopsAt() override { RequestInterrupt(false); }
  std::unique_ptr<Progress> Start(std::string_view what,
                                  int64_t total,
                                  std::string_view unit) override {
    if (what == task_) RequestInterrupt(true);
    return Listener::Start(what, total, unit);
  }

 private:
  const std::string_view task_;
};

// It is no trouble of COLMAP's, whenever it comes.
TEST_F(ColmapStageTest, AnInterruptIsOne) {
  AddCornerFrames(8);
  for (const char* task :
       {"finding features", "matching", "mapping", "undistorting"}) {
    StopsAt report(task);
    teller_ = &report;
    EXPECT_THROW(Run("photos", 2, "scratch"), Interrupted) << task;
    EXPECT_TRUE(InterruptRequested()) << task;
  }
}

TEST_F(ColmapStageTest, AFullDiskIsNotBlamedOnTheLens) {
  AddCornerFrames(8);
  fs::create_directories(root_ / "scratch");
  WriteFileAtomically(root_ / "scratch" / "features", "in the way");
  try {
    const StageResult result = Run("video", 1, "scratch");
    FAIL() << result.line;
  } catch (const UserError& error) {
    EXPECT_THAT(error.problem(), HasSubstr("scratch/features: "));
    EXPECT_THAT(error.remedy(), HasSubstr("check that it exists"));
  }
}

// Of pictures that are cut to 8 pixels, from a lens that is in no way tidy.
TEST(WriteUndistorted, WritesTheImagesOfTheModelAtTheQualityAskedFor) {
  const TemporaryFolder folder;
  ColmapModel model = SceneModel(OneLensCameras(), true);
  model.cameras[9] = {
      4, 53, 37, {57.4, 49.8, 28.3, 16.9, -0.08, 0.02, 0.003, -0.002}};
  model.images.erase(SceneImageId(7));
  for (auto& [id, point] : model.points) {
    std::erase_if(point.track, [](const auto& seen) {
      return seen.image_id == SceneImageId(7);
    });
  }
  fs::create_directories(folder / "frames");
  for (auto& [id, image] : model.images) {
    Image picture(53, 37, 3);
    for (size_t i = 0; i < picture.pixels.size(); ++i) {
      picture.pixels[i] = static_cast<uint8_t>(i * i / 7 + id);
    }
    image.name = image.name.substr(0, image.name.size() - 3) + "png";
    WriteImage(picture, folder / "frames" / image.name);
  }
  const auto write = [&](const char* out) {
    return WriteUndistorted(model,
                            {folder / "frames",
                             folder / "frame_masks",
                             folder / out,
                             71,
                             2,
                             &SilentReport()});
  };
  EXPECT_EQ(write("out"), "");
  EXPECT_TRUE(fs::is_empty(folder / "out" / "masks"));
  const Pinhole pinhole = PlanPinhole(model.cameras[9]).value();
  const Warp warp(model.cameras[9], pinhole);
  EXPECT_EQ(SortedFileNames(folder / "out" / "images").size(), 10u);
  for (const auto& [id, image] : model.images) {
    WriteImage(warp.Apply(ReadImage(folder / "frames" / image.name)),
               folder / "twin.jpg",
               71);
    const std::string name = image.name.substr(0, image.name.size() - 3);
    EXPECT_EQ(ReadFile(folder / "out" / "images" / (name + "jpg")),
              ReadFile(folder / "twin.jpg"));
  }
  const ColmapModel undistorted = ReadColmapModel(folder / "out/sparse/0");
  EXPECT_EQ(undistorted.images.size(), 10u);
  EXPECT_THAT(undistorted.cameras.at(9).params,
              ElementsAre(pinhole.fx, pinhole.fy, pinhole.cx, pinhole.cy));
  model.cameras[9].params[4] = -9;
  EXPECT_FALSE(write("none").has_value());
}

TEST(WriteSparseModels, NumbersThem) {
  const TemporaryFolder folder;
  MappingResult mapping;
  mapping.models.push_back(SceneModel(OneLensCameras(), true));
  mapping.models.push_back(SceneModel(OneLensCameras(), true));
  mapping.models[1].images.erase(SceneImageId(3));
  for (auto& [id, point] : mapping.models[1].points) point.track.clear();
  WriteSparseModels(mapping, folder);
  EXPECT_EQ(ReadColmapModel(folder / "0").images.size(), 11u);
  EXPECT_EQ(ReadColmapModel(folder / "1").images.size(), 10u);
}

}  // namespace
}  // namespace nerfpipe::sfm
