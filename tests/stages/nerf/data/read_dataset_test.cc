#include "stages/nerf/data/read_dataset.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/common/axes.h"
#include "stages/media/image_file.h"
#include "tests/listener.h"
#include "tests/real_data.h"
#include "tests/stages/nerf/data/tiny_scene.h"
#include "tests/temporary_folder.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::nerf {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

ReadResult Read(const fs::path& path, int factor = 1, int llffhold = 8) {
  return ReadDataset(path, {factor, llffhold, 2}, SilentReport());
}

std::string ProblemOf(const fs::path& path, int factor = 1) {
  try {
    Read(path, factor);
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

void ExpectScene(const ReadResult& result, int factor) {
  const TinyScene scene;
  ASSERT_EQ(result.dataset.test.size(), 2);  // images 0 and 8
  ASSERT_EQ(result.dataset.train.size(), 7);
  for (int i = 0; i < TinyScene::kCount; ++i) {
    const View& view =
        i % 8 == 0 ? result.dataset.test[i / 8] : result.dataset.train[i - 1];
    EXPECT_EQ(fs::path(view.name).filename(), scene.names[i]);
    ASSERT_EQ(view.camera.width, TinyScene::kWidth / factor);
    ASSERT_EQ(view.camera.height, TinyScene::kHeight / factor);
    ASSERT_EQ(view.image.sizes(),
              (torch::IntArrayRef{
                  TinyScene::kHeight / factor, TinyScene::kWidth / factor, 3}));
    EXPECT_EQ(view.image[1][2][0].item<int>(), 20 * i);
    EXPECT_NEAR(view.camera.fx, 30.0 / factor, 1e-12);
    EXPECT_NEAR(view.camera.cx, 16.0 / factor, 1e-12);
    EXPECT_NEAR(view.camera.cy, 12.0 / factor, 1e-12);
    // The centre ray: the optical axis from the camera's centre.
    const Rigid3& truth = scene.world_from_camera[i];
    for (int k = 0; k < 3; ++k) {
      const auto& m = view.camera.world_from_camera;
      EXPECT_NEAR(m[4 * k], truth.rotation(k, 0), 1e-6);
      EXPECT_NEAR(m[4 * k + 1], -truth.rotation(k, 1), 1e-6);
      EXPECT_NEAR(-m[4 * k + 2], truth.rotation(k, 2), 1e-6);
      EXPECT_NEAR(m[4 * k + 3], truth.translation(k), 1e-6);
    }
  }
}

TEST(ReadDatasetTest, LlffColmapAndTransformsGiveTheSameScene) {
  const TinyScene scene;
  const TemporaryFolder llff, colmap, transforms;
  scene.WriteImages(llff.path() / "images");
  scene.WriteLlff(llff.path());
  scene.WriteImages(colmap.path() / "images");
  scene.WriteColmap(colmap.path() / "sparse/0");
  scene.WriteImages(transforms.path() / "images");
  scene.WriteTransforms(transforms.path());

  const ReadResult from_llff = Read(llff.path());
  EXPECT_EQ(from_llff.kind, DatasetKind::kLlff);
  ExpectScene(from_llff, 1);
  EXPECT_EQ(from_llff.dataset.train[0].near, 2.5);
  EXPECT_EQ(from_llff.dataset.train[0].far, 7.5);
  EXPECT_EQ(from_llff.image_bytes, 9 * 32 * 24 * 3);

  const ReadResult from_colmap = Read(colmap.path());
  EXPECT_EQ(from_colmap.kind, DatasetKind::kColmap);
  ExpectScene(from_colmap, 1);
  EXPECT_EQ(from_colmap.dataset.points.size(0), 20);
  double nearest = 1e9;
  for (const Eigen::Vector3d& point : scene.points) {
    const Rigid3 camera_from_world = scene.world_from_camera[1].Inverse();
    nearest = std::min(nearest, (camera_from_world * point).z());
  }
  EXPECT_NEAR(from_colmap.dataset.train[0].near, nearest, 0.02);
  EXPECT_GT(from_colmap.dataset.train[0].near, nearest);

  const ReadResult from_transforms = Read(transforms.path());
  EXPECT_EQ(from_transforms.kind, DatasetKind::kTransforms);
  ExpectScene(from_transforms, 1);
  ExpectScene(Read(transforms.path() / "transforms.json"), 1);
}

TEST(ReadDatasetTest, FactorTakesTheFolderOrAveragesAndWritesNothing) {
  const TinyScene scene;
  for (const bool folder_there : {true, false}) {
    const TemporaryFolder llff, colmap, transforms;
    for (const TemporaryFolder* folder : {&llff, &colmap, &transforms}) {
      scene.WriteImages(folder->path() / "images");
      if (folder_there) {
        scene.WriteImages(folder->path() / "images_4", 4);
      }
    }
    scene.WriteLlff(llff.path());
    scene.WriteColmap(colmap.path() / "sparse/0");
    scene.WriteTransforms(transforms.path());
    for (const TemporaryFolder* folder : {&llff, &colmap, &transforms}) {
      const ReadResult result = Read(folder->path(), 4);
      EXPECT_EQ(result.factor, 4);
      ExpectScene(result, 4);
      EXPECT_EQ(fs::exists(folder->path() / "images_4"), folder_there);
    }
  }
}

TEST(ReadDatasetTest, LlffTakesPointsFromTheModelBesideIt) {
  const TinyScene scene;
  const TemporaryFolder folder;
  scene.WriteImages(folder.path() / "images");
  scene.WriteLlff(folder.path());
  scene.WriteColmap(folder.path() / "sparse/0");
  const ReadResult result = Read(folder.path());
  EXPECT_EQ(result.kind, DatasetKind::kLlff);
  EXPECT_EQ(result.dataset.points.sizes(), (torch::IntArrayRef{20, 3}));
}

// The lines of sight of training views alone: held-out ones are to be guessed.
TEST(ReadDatasetTest, SightsAreThoseOfTrainingViews) {
  const TinyScene scene;
  const TemporaryFolder llff, colmap;
  for (const fs::path& folder : {llff.path(), colmap.path()}) {
    scene.WriteImages(folder / "images");
    scene.WriteColmap(folder / "sparse/0");
  }
  scene.WriteLlff(llff.path());
  for (const fs::path& folder : {llff.path(), colmap.path()}) {
    const Dataset dataset = Read(folder).dataset;
    const int64_t views = std::ssize(dataset.train);
    ASSERT_EQ(dataset.sights.sizes(), (torch::IntArrayRef{20 * views, 2, 3}));
    for (int64_t i = 0; i < views; ++i) {
      const auto& pose = dataset.train[i].camera.world_from_camera;
      const torch::Tensor centre =
          torch::tensor({pose[3], pose[7], pose[11]}, torch::kDouble);
      const torch::Tensor from = dataset.sights.select(1, 0);
      EXPECT_EQ(((from - centre).abs().amax(1) < 1e-9).sum().item<int64_t>(),
                20);
    }
    const torch::Tensor ends = dataset.sights.select(1, 1).slice(0, 0, 20);
    EXPECT_LT((ends - dataset.points).abs().max().item<double>(), 1e-9);
  }
}

TEST(ReadDatasetTest, SyntheticHasItsOwnSplitBoxAndAlpha) {
  const TemporaryFolder folder;
  Image image(8, 6, 4);
  for (const char* split : {"train", "test"}) {
    fs::create_directories(folder.path() / split);
    WriteImage(image, folder.path() / split / "r_0.png");
    WriteFileAtomically(
        folder.path() / ("transforms_" + std::string(split) + ".json"),
        R"({"camera_angle_x": 0.6911112070083618, "frames": [)"
        R"({"file_path": "./)" +
            std::string(split) +
            R"(/r_0", "transform_matrix":)"
            R"( [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 4], [0, 0, 0, 1]]}]})");
  }
  const ReadResult result = Read(folder.path(), 0);
  EXPECT_EQ(result.kind, DatasetKind::kSynthetic);
  EXPECT_EQ(result.factor, 1);
  ASSERT_EQ(result.dataset.train.size(), 1);
  ASSERT_EQ(result.dataset.test.size(), 1);
  const View& view = result.dataset.train[0];
  EXPECT_NEAR(view.camera.fx, 4 / std::tan(0.6911112070083618 / 2), 1e-9);
  EXPECT_EQ(view.camera.world_from_camera[11], 4);
  EXPECT_EQ(view.image.size(2), 4);
  EXPECT_EQ(view.near, 2);
  EXPECT_EQ(view.far, 6);
  EXPECT_TRUE(result.dataset.has_box);
  EXPECT_EQ(result.dataset.box[5], 1.5);
}

TEST(ReadDatasetTest, MissingImagesAreSkippedAndCounted) {
  const TinyScene scene;
  const TemporaryFolder folder;
  scene.WriteImages(folder.path() / "images");
  scene.WriteTransforms(folder.path());
  fs::remove(folder.path() / "images" / scene.names[4]);
  Listener listener;
  const ReadResult result = ReadDataset(folder.path(), {1, 8, 1}, listener);
  EXPECT_EQ(result.dataset.train.size() + result.dataset.test.size(), 8);
  ASSERT_EQ(listener.warnings.size(), 1);
  EXPECT_THAT(listener.warnings[0], HasSubstr("1 of 9 frames"));
  EXPECT_THAT(listener.warnings[0], HasSubstr("images/img 4.png"));
}

TEST(ReadDatasetTest, DistortedCamerasAreRefused) {
  const TinyScene scene;
  const TemporaryFolder transforms, colmap;
  scene.WriteImages(transforms.path() / "images");
  scene.WriteTransforms(transforms.path(), "\"k1\": 0.05,");
  EXPECT_THAT(ProblemOf(transforms.path()), HasSubstr("distorted (k1"));
  scene.WriteTransforms(transforms.path(), "\"k1\": 0, \"p2\": 0.0,");
  EXPECT_EQ(ProblemOf(transforms.path()), "no error");

  scene.WriteImages(colmap.path() / "images");
  scene.WriteColmap(colmap.path() / "sparse/0");
  for (const char* name : {"cameras.bin", "images.bin", "points3D.bin"}) {
    fs::remove(colmap.path() / "sparse/0" / name);
  }
  EXPECT_EQ(ProblemOf(colmap.path()), "no error");  // text alone is enough
  const fs::path cameras = colmap.path() / "sparse/0/cameras.txt";
  WriteFileAtomically(cameras, "3 SIMPLE_RADIAL 32 24 30 16 12 0.01\n");
  EXPECT_THAT(ProblemOf(colmap.path()), HasSubstr("distorted (SIMPLE_RADIAL"));
  WriteFileAtomically(cameras, "3 SIMPLE_RADIAL 32 24 30 15 11 0\n");
  EXPECT_EQ(Read(colmap.path()).dataset.train[0].camera.cx, 15);
}

TEST(ReadDatasetTest, ErrorsNameWhatIsWrong) {
  const TinyScene scene;
  const TemporaryFolder folder;
  EXPECT_THAT(ProblemOf(folder.path()), HasSubstr("poses_bounds.npy"));
  EXPECT_THAT(ProblemOf(folder.path() / "nowhere"), HasSubstr("nowhere"));

  scene.WriteImages(folder.path() / "images");
  scene.WriteTransforms(folder.path());
  const fs::path json = folder.path() / "transforms.json";
  const std::string whole = ReadFile(json);
  WriteFileAtomically(json, whole.substr(0, whole.size() / 2));
  EXPECT_THAT(ProblemOf(folder.path()), HasSubstr("not JSON"));
  WriteFileAtomically(json, R"({"frames": [{"file_path": 7}]})");
  EXPECT_THAT(ProblemOf(folder.path()), HasSubstr("file_path"));
  WriteFileAtomically(json,
                      R"({"fl_x": 30, "frames": [{"file_path": )"
                      R"("images/img 0.png", "transform_matrix": [1, 2]}]})");
  EXPECT_THAT(ProblemOf(folder.path()), HasSubstr("transform_matrix"));

  scene.WriteLlff(folder.path());
  EXPECT_THAT(ProblemOf(folder.path()), HasSubstr("no error"));
  fs::remove(folder.path() / "images" / scene.names[4]);
  EXPECT_THAT(ProblemOf(folder.path()), HasSubstr("8 images"));
  scene.WriteImages(folder.path() / "images");
  WriteImage(scene.Picture(3, 24, 32), folder.path() / "images/img 3.png");
  EXPECT_THAT(ProblemOf(folder.path()), HasSubstr("img 3.png is 24x32"));
  scene.WriteImages(folder.path() / "images");
  const fs::path npy = folder.path() / "poses_bounds.npy";
  fs::resize_file(npy, fs::file_size(npy) - 8);
  EXPECT_THAT(ProblemOf(folder.path()), HasSubstr("poses_bounds.npy"));
}

TEST(ReadDatasetTest, RealSets) {
  NERFPIPE_NEEDS_REAL_DATA();
  const fs::path data = RealData();
  const ReadResult fern = Read(data / "fern", 8);
  EXPECT_EQ(fern.dataset.train.size(), 17);
  EXPECT_EQ(fern.dataset.test.size(), 3);
  EXPECT_EQ(fern.dataset.train[0].camera.width, 504);
  EXPECT_NEAR(fern.dataset.train[0].camera.fx, 407.6, 0.1);

  const ReadResult lego = Read(data / "lego_100");
  EXPECT_EQ(lego.dataset.train.size(), 100);
  EXPECT_EQ(lego.dataset.test.size(), 25);
  EXPECT_EQ(lego.dataset.train[0].image.size(2), 4);

  EXPECT_THAT(ProblemOf(data / "fox", 4), HasSubstr("distorted"));
  // The same file with its distortion struck out.
  const TemporaryFolder folder;
  std::string json = ReadFile(data / "fox" / "transforms.json");
  for (const char* name : {"\"k1\"", "\"k2\"", "\"p1\"", "\"p2\""}) {
    json.replace(json.find(name), 4, "\"_\"");
  }
  WriteFileAtomically(folder.path() / "transforms.json", json);
  fs::create_directory_symlink(data / "fox" / "images",
                               folder.path() / "images");
  Listener listener;
  const ReadResult fox = ReadDataset(folder.path(), {8, 8, 2}, listener);
  EXPECT_EQ(fox.dataset.train.size() + fox.dataset.test.size(), 50);
  EXPECT_THAT(listener.warnings.at(0), HasSubstr("17 of 67 frames"));
  EXPECT_EQ(fox.dataset.train[0].camera.width, 135);
}

}  // namespace
}  // namespace nerfpipe::nerf
