// The rules of each layout, and what is said about files that break them.

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/common/colmap_model.h"
#include "stages/common/npy.h"
#include "stages/media/image_file.h"
#include "stages/nerf/data/read_dataset.h"
#include "tests/listener.h"
#include "tests/stages/nerf/data/tiny_scene.h"
#include "tests/temporary_folder.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe::nerf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

ReadResult Read(const fs::path& path, int factor = 1, int llffhold = 0) {
  return ReadDataset(path, {factor, llffhold, 1}, SilentReport());
}

std::string ProblemOf(const fs::path& path, int factor = 1) {
  try {
    Read(path, factor);
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

// Turned about z, then about its new x; at (0.5, -2, 3).
json SomePose() {
  const double c = std::cos(0.4), s = std::sin(0.4);
  const double d = std::cos(1.1), t = std::sin(1.1);
  return {{c, -s * d, s * t, 0.5},
          {s, c * d, -c * t, -2},
          {0, t, d, 3},
          {0, 0, 0, 1}};
}

// One picture of 45 x 31 pixels, "images/a.png".
class TransformsTest : public ::testing::Test {
 protected:
  TransformsTest() {
    fs::create_directories(folder_ / "images");
    WriteImage(Image(45, 31, 3), folder_ / "images/a.png");
    frame_ = {{"file_path", "images/a.png"}, {"transform_matrix", SomePose()}};
  }

  void Write() const {
    json file = file_;
    file["frames"] = json::array({frame_});
    WriteFileAtomically(folder_ / "transforms.json", file.dump());
  }
  Camera Lens() const {
    Write();
    return Read(folder_).dataset.train.at(0).camera;
  }
  std::string Problem() const {
    Write();
    return ProblemOf(folder_);
  }

  const TemporaryFolder folder_;
  json file_ = {{"fl_x", 61.5}, {"fl_y", 53.25}, {"cx", 20.5}, {"cy", 17.75}};
  json frame_;
};

void ExpectLens(
    const Camera& camera, double fx, double fy, double cx, double cy) {
  EXPECT_EQ(camera.width, 45);
  EXPECT_EQ(camera.height, 31);
  EXPECT_NEAR(camera.fx, fx, 1e-12);
  EXPECT_NEAR(camera.fy, fy, 1e-12);
  EXPECT_NEAR(camera.cx, cx, 1e-12);
  EXPECT_NEAR(camera.cy, cy, 1e-12);
}

TEST_F(TransformsTest, LensOfTheFileServesFramesWithoutOne) {
  ExpectLens(Lens(), 61.5, 53.25, 20.5, 17.75);
  frame_["fl_y"] = 57;
  frame_["cx"] = 24.5;
  ExpectLens(Lens(), 61.5, 57, 24.5, 17.75);
  // Of a picture of twice the size.
  file_["w"] = 90;
  file_["h"] = 62;
  ExpectLens(Lens(), 61.5 / 2, 57 / 2.0, 24.5 / 2, 17.75 / 2);
}

TEST_F(TransformsTest, WhatIsNotSaidIsSquareAndCentred) {
  file_ = {{"fl_x", 61.5}};
  ExpectLens(Lens(), 61.5, 61.5, 22.5, 15.5);
  file_ = {{"fl_y", 53.25}};
  ExpectLens(Lens(), 53.25, 53.25, 22.5, 15.5);
  file_ = {{"camera_angle_x", 0.9}, {"camera_angle_y", 0.8}};
  ExpectLens(Lens(), 22.5 / std::tan(0.45), 15.5 / std::tan(0.4), 22.5, 15.5);
  file_ = {{"camera_angle_x", 0.9}, {"fl_x", 61.5}, {"fl_y", 50}};
  ExpectLens(Lens(), 61.5, 50, 22.5, 15.5);
  file_ = {{"camera_angle_x", 0.9}};
  ExpectLens(Lens(), 22.5 / std::tan(0.45), 22.5 / std::tan(0.45), 22.5, 15.5);
}

TEST_F(TransformsTest, PosesAreTakenAsTheyAre) {
  const std::array<double, 12> pose = Lens().world_from_camera;
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(pose[i], SomePose()[i / 4][i % 4].get<double>());
  }
  frame_["transform_matrix"].erase(size_t{3});  // the last row says nothing
  EXPECT_EQ(Lens().world_from_camera, pose);
}

TEST_F(TransformsTest, SuffixesMayBeLeftOut) {
  frame_["file_path"] = "./images/a";
  Write();
  EXPECT_EQ(Read(folder_).dataset.train.at(0).name, "images/a.png");
}

TEST_F(TransformsTest, DistortedAndOtherLensesAreRefused) {
  for (const char* name : {"k1", "k2", "k3", "k4", "p1", "p2"}) {
    frame_[name] = 0.0;
    EXPECT_EQ(Problem(), "no error");
    frame_[name] = -0.01;
    EXPECT_THAT(Problem(),
                AllOf(HasSubstr("distorted (" + std::string(name) + " is"),
                      HasSubstr("undistort")));
    frame_.erase(name);
    file_[name] = 0.01;
    EXPECT_THAT(Problem(), HasSubstr(name));
    file_.erase(name);
  }
  for (const char* name : {"OPENCV",
                           "PINHOLE",
                           "SIMPLE_PINHOLE",
                           "perspective",
                           "SIMPLE_RADIAL",
                           "RADIAL"}) {
    file_["camera_model"] = name;
    EXPECT_EQ(Problem(), "no error") << name;
  }
  file_["camera_model"] = "OPENCV_FISHEYE";
  EXPECT_THAT(Problem(), HasSubstr("OPENCV_FISHEYE, not pinhole"));
}

TEST_F(TransformsTest, ErrorsNameTheField) {
  const json lens = file_, frame = frame_;
  file_ = json::object();
  EXPECT_THAT(
      Problem(),
      AllOf(
          HasSubstr("fl_x"), HasSubstr("camera_angle_x"), HasSubstr("a.png")));
  file_ = {{"fl_x", -3}};
  EXPECT_THAT(Problem(), HasSubstr("fl_x"));
  file_ = lens;
  file_["cy"] = "middle";
  EXPECT_THAT(Problem(), HasSubstr("\"cy\" is not a number"));
  file_ = lens;
  for (const json& matrix :
       {json({1, 2}),
        json("none"),
        json({{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}),
        json({{1, 0, 0, 0}, {0, 1, 0, 0}}),
        json({{2, 0, 0, 0}, {0, 2, 0, 0}, {0, 0, 2, 0}}),
        json({{1, 0, 0, 0}, {0, "1", 0, 0}, {0, 0, 1, 0}}),
        json({{1, 0.1, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}})}) {
    frame_["transform_matrix"] = matrix;
    EXPECT_THAT(Problem(),
                HasSubstr("\"transform_matrix\" of images/a.png is not a pose"))
        << matrix;
  }
  frame_ = frame;
  frame_.erase("transform_matrix");
  EXPECT_THAT(Problem(), HasSubstr("transform_matrix"));
  frame_ = {{"file_path", 7}};
  EXPECT_THAT(Problem(), HasSubstr("file_path"));
  frame_ = 4;
  EXPECT_THAT(Problem(), HasSubstr("file_path"));
  const fs::path file = folder_ / "transforms.json";
  for (const char* text :
       {"{}", R"({"frames": []})", R"({"frames": 3})", "[1]"}) {
    WriteFileAtomically(file, text);
    EXPECT_THAT(ProblemOf(folder_), HasSubstr("no list \"frames\"")) << text;
  }
  WriteFileAtomically(file, R"({"frames": [)");
  EXPECT_THAT(ProblemOf(folder_),
              AllOf(HasSubstr(file.string()), HasSubstr("not JSON")));
}

// A frame of 45 x 31 pixels whose camera says otherwise.
TEST_F(TransformsTest, TurnedAndCroppedImagesAreRefused) {
  file_["w"] = 31;
  file_["h"] = 45;
  EXPECT_THAT(Problem(),
              HasSubstr("a.png is 45x31 but its camera is for 31x45"));
  file_["w"] = 90;
  file_["h"] = 64;  // 3.2 % off
  EXPECT_THAT(Problem(), HasSubstr("45x31"));
  file_["h"] = 63;  // 1.6 %
  EXPECT_EQ(Problem(), "no error");
}

TEST_F(TransformsTest, MissingImagesAreLeftOutAndCounted) {
  json file = file_;
  json other = frame_;
  other["file_path"] = "images/b.png";
  file["frames"] = json::array({other, frame_, other});
  WriteFileAtomically(folder_ / "transforms.json", file.dump());
  Listener listener;
  const ReadResult result = ReadDataset(folder_, {1, 0, 1}, listener);
  EXPECT_EQ(result.dataset.train.size(), 1);
  ASSERT_EQ(listener.warnings.size(), 1);
  EXPECT_THAT(listener.warnings[0],
              AllOf(HasSubstr("2 of 3 frames"), HasSubstr("images/b.png")));
  frame_ = other;
  EXPECT_THAT(Problem(), HasSubstr("none of the 1 images"));
}

// Points and observations are of no interest here.
class ColmapTest : public ::testing::Test {
 protected:
  ColmapTest() {
    scene_.WriteImages(folder_ / "images");
    scene_.WriteColmap(folder_ / "sparse/0");
    model_ = ReadColmapModel(folder_ / "sparse/0");
  }

  void Write() const { WriteColmapModel(model_, folder_ / "sparse/0"); }

  const TinyScene scene_;
  const TemporaryFolder folder_;
  ColmapModel model_;
};

TEST_F(ColmapTest, ModelMayBeTextAndStandInSparse) {
  fs::rename(folder_ / "sparse/0", folder_ / "0");
  fs::remove_all(folder_ / "sparse");
  fs::rename(folder_ / "0", folder_ / "sparse");
  for (const char* name : {"cameras.bin", "images.bin", "points3D.bin"}) {
    fs::remove(folder_ / "sparse" / name);
  }
  const ReadResult result = Read(folder_);
  EXPECT_EQ(result.kind, DatasetKind::kColmap);
  EXPECT_EQ(result.dataset.train.size(), TinyScene::kCount);
  fs::remove(folder_ / "sparse/images.txt");
  EXPECT_THAT(ProblemOf(folder_), HasSubstr("is not a data set"));
}

TEST_F(ColmapTest, OtherModelsCountWithoutDistortion) {
  const uint32_t id = model_.images.at(50).camera_id;  // of the first camera
  ColmapCamera& camera = model_.cameras.at(id);
  const auto first = [&] {
    const Dataset dataset = Read(folder_).dataset;
    for (const View& view : dataset.train) {
      if (view.name == scene_.names[0]) return view.camera;
    }
    return Camera();
  };
  camera.model_id = 0;
  camera.params = {52, 23.5, 26.25};
  Write();
  EXPECT_EQ(first().fx, 52);
  EXPECT_EQ(first().fy, 52);
  EXPECT_EQ(first().cx, 23.5);
  EXPECT_EQ(first().cy, 26.25);
  camera.model_id = 2;
  camera.params = {51, 20.5, 25.25, 0};
  Write();
  EXPECT_EQ(first().fy, 51);
  EXPECT_EQ(first().cx, 20.5);
  camera.params.back() = 1e-3;
  Write();
  EXPECT_THAT(
      ProblemOf(folder_),
      AllOf(HasSubstr("distorted (SIMPLE_RADIAL)"), HasSubstr("undistort")));
  camera.model_id = 5;  // a fisheye is no pinhole, whatever its numbers
  camera.params = {51, 52, 20.5, 25.25, 0, 0, 0, 0};
  Write();
  EXPECT_THAT(ProblemOf(folder_), HasSubstr("OPENCV_FISHEYE"));
  camera.model_id = 1;
  camera.params = {51, 0, 20.5, 25.25};
  Write();
  EXPECT_THAT(ProblemOf(folder_),
              HasSubstr("focal length that is not positive"));
}

TEST_F(ColmapTest, MissingImagesAreLeftOutAndCounted) {
  fs::remove(folder_ / "images" / scene_.names[3]);
  fs::remove(folder_ / "images" / scene_.names[8]);
  Listener listener;
  const Dataset dataset = ReadDataset(folder_, {1, 0, 1}, listener).dataset;
  EXPECT_EQ(dataset.train.size(), TinyScene::kCount - 2);
  ASSERT_EQ(listener.warnings.size(), 1);
  EXPECT_THAT(listener.warnings[0],
              AllOf(HasSubstr("2 images of the model"), HasSubstr("IMG ")));
  for (const std::string& name : scene_.names) {
    fs::remove(folder_ / "images" / name);
  }
  EXPECT_THAT(ProblemOf(folder_),
              AllOf(HasSubstr("none of the 11 images"), HasSubstr("images")));
}

// Where most points are unsteady, all of them count.
TEST_F(ColmapTest, FewSteadyPointsAreNotReliedOn) {
  for (auto& [id, point] : model_.points) {
    if (id % 4 != 0) point.error = 5;
  }
  Write();
  EXPECT_EQ(Read(folder_).dataset.points.size(0), std::ssize(model_.points));
}

class LlffTest : public ::testing::Test {
 protected:
  LlffTest() {
    scene_.WriteImages(folder_ / "images");
    scene_.WriteLlff(folder_);
    array_ = ReadNpy(file_);
  }

  double& At(int row, int column) { return array_.values[17 * row + column]; }
  std::string Problem() {
    WriteNpy(array_, file_);
    return ProblemOf(folder_);
  }

  const TinyScene scene_;
  const TemporaryFolder folder_;
  const fs::path file_ = folder_ / "poses_bounds.npy";
  NpyArray array_;
};

TEST_F(LlffTest, RowsThatAreNoPosesAreNamed) {
  const NpyArray sound = array_;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const auto& [column, value] : {std::pair(4, 0.0),
                                      std::pair(9, -3.0),
                                      std::pair(9, 2e6),
                                      std::pair(14, 0.0),
                                      std::pair(14, infinity),
                                      std::pair(3, nan),
                                      std::pair(0, 2.0),
                                      std::pair(12, nan)}) {
    array_ = sound;
    At(6, column) = value;
    EXPECT_THAT(Problem(),
                AllOf(HasSubstr("row 7 of " + file_.string()),
                      HasSubstr("height, width and focal")))
        << column << " " << value;
  }
}

TEST_F(LlffTest, BoundsThatBoundNothingAreUnknown) {
  At(2, 16) = At(2, 15);
  At(3, 15) = 0;
  At(4, 16) = std::numeric_limits<double>::infinity();
  WriteNpy(array_, file_);
  const Dataset dataset = Read(folder_).dataset;
  for (const int row : {2, 3, 4}) {
    EXPECT_EQ(dataset.train[row].near, 0);
    EXPECT_EQ(dataset.train[row].far, 0);
  }
  EXPECT_GT(dataset.train[5].near, 0);
}

TEST_F(LlffTest, RowsAndImagesAreAsMany) {
  WriteFileAtomically(folder_ / "images/notes.txt", "no image");
  EXPECT_EQ(Problem(), "no error");
  WriteImage(Image(43, 59, 3), folder_ / "images/zzz.png");
  EXPECT_THAT(Problem(),
              AllOf(HasSubstr("12 images"), HasSubstr("has 11 rows")));
  array_.shape = {17, 11};
  EXPECT_THAT(Problem(), HasSubstr("not a table of 17 columns"));
  scene_.WriteLlff(folder_);
  fs::rename(folder_ / "images", folder_ / "pictures");
  EXPECT_THAT(ProblemOf(folder_, 4),
              AllOf(HasSubstr("images_4"), HasSubstr("train.factor")));
  fs::resize_file(file_, fs::file_size(file_) - 8);
  EXPECT_THAT(ProblemOf(folder_), HasSubstr("poses_bounds.npy"));
}

TEST_F(LlffTest, ADamagedModelIsDoneWithout) {
  scene_.WriteColmap(folder_ / "sparse/0");
  fs::resize_file(folder_ / "sparse/0/points3D.bin", 20);
  Listener listener;
  const Dataset dataset = ReadDataset(folder_, {1, 0, 1}, listener).dataset;
  EXPECT_EQ(dataset.points.size(0), 0);
  ASSERT_EQ(listener.warnings.size(), 1);
  EXPECT_THAT(listener.warnings[0], HasSubstr("sparse points are not used"));
}

// Pictures of 9 x 7 pixels.
class SyntheticTest : public ::testing::Test {
 protected:
  void Write(const std::string& split, const json& angle, int frames) const {
    fs::create_directories(folder_ / split);
    json file = {{"camera_angle_x", angle}, {"frames", json::array()}};
    for (int i = frames - 1; i >= 0; --i) {
      const std::string name = "./" + split + "/r_" + std::to_string(i);
      Image image(9, 7, 4);
      image.pixels[0] = static_cast<uint8_t>(10 + i);
      WriteImage(image, folder_ / (name + ".png"));
      file["frames"].push_back(
          {{"file_path", name}, {"transform_matrix", SomePose()}});
    }
    WriteFileAtomically(folder_ / ("transforms_" + split + ".json"),
                        file.dump());
  }

  const TemporaryFolder folder_;
};

TEST_F(SyntheticTest, HasItsOwnSplitLensBoxAndAlpha) {
  Write("train", 0.7, 3);
  Write("val", 0.7, 1);
  EXPECT_EQ(Read(folder_).dataset.test.at(0).name, "val/r_0.png");
  Write("test", 0.6, 2);
  const ReadResult result = ReadDataset(folder_, {0, 2, 1}, SilentReport());
  EXPECT_EQ(result.kind, DatasetKind::kSynthetic);
  EXPECT_EQ(result.factor, 1);
  const Dataset& dataset = result.dataset;
  ASSERT_EQ(dataset.train.size(), 3);
  ASSERT_EQ(dataset.test.size(), 2);
  EXPECT_EQ(dataset.test[1].name, "test/r_1.png");
  for (size_t i = 0; i < 3; ++i) {
    const View& view = dataset.train[i];
    EXPECT_EQ(view.name, "train/r_" + std::to_string(i) + ".png");
    EXPECT_EQ(view.image.sizes(), (torch::IntArrayRef{7, 9, 4}));
    EXPECT_EQ(view.image[0][0][0].item<int>(), 10 + static_cast<int>(i));
    EXPECT_NEAR(view.camera.fx, 4.5 / std::tan(0.35), 1e-12);
    EXPECT_NEAR(view.camera.fy, 4.5 / std::tan(0.35), 1e-12);
    EXPECT_EQ(view.camera.cx, 4.5);
    EXPECT_EQ(view.camera.cy, 3.5);
    EXPECT_EQ(view.near, 2);
    EXPECT_EQ(view.far, 6);
    EXPECT_EQ(view.camera.world_from_camera[7], -2);
  }
  EXPECT_NEAR(dataset.test[0].camera.fx, 4.5 / std::tan(0.3), 1e-12);
  EXPECT_TRUE(dataset.has_box);
  EXPECT_THAT(dataset.box,
              ::testing::ElementsAre(-1.5, -1.5, -1.5, 1.5, 1.5, 1.5));
  EXPECT_THAT(dataset.background, ::testing::ElementsAre(1, 1, 1));

  const Camera half = Read(folder_, 2).dataset.train[0].camera;
  EXPECT_EQ(half.width, 5);
  EXPECT_EQ(half.height, 4);
  EXPECT_NEAR(half.fx, 2.5 / std::tan(0.35), 1e-12);
}

TEST_F(SyntheticTest, AnAngleIsNeeded) {
  for (const json& angle : {json(nullptr), json("wide"), json(0), json(3.2)}) {
    Write("train", angle, 1);
    EXPECT_THAT(ProblemOf(folder_), HasSubstr("camera_angle_x")) << angle;
  }
}

TEST(DetectTest, TheMoreThatIsKnownTheBetter) {
  const TinyScene scene;
  const TemporaryFolder folder;
  EXPECT_THAT(ProblemOf(folder),
              AllOf(HasSubstr("poses_bounds.npy"),
                    HasSubstr("transforms_train.json"),
                    HasSubstr("sparse/0"),
                    HasSubstr("transforms.json")));
  EXPECT_THAT(ProblemOf(folder / "nowhere"), HasSubstr("nowhere"));
  scene.WriteTransforms(folder);
  EXPECT_EQ(DetectDatasetKind(folder), DatasetKind::kTransforms);
  scene.WriteColmap(folder / "sparse/0");
  EXPECT_EQ(DetectDatasetKind(folder), DatasetKind::kTransforms);
  fs::create_directories(folder / "images");
  EXPECT_EQ(DetectDatasetKind(folder), DatasetKind::kColmap);
  WriteFileAtomically(folder / "transforms_train.json", "{}");
  EXPECT_EQ(DetectDatasetKind(folder), DatasetKind::kSynthetic);
  scene.WriteLlff(folder);
  EXPECT_EQ(DetectDatasetKind(folder), DatasetKind::kLlff);
  EXPECT_EQ(DetectDatasetKind(folder / "transforms.json"),
            DatasetKind::kTransforms);
}

}  // namespace
}  // namespace nerfpipe::nerf
