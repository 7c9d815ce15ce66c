// Models of the irregular scene: every camera has a lens of its own.

#include "tests/stages/common/scene_model.h"

#include "pipeline/base/atomic_file.h"
#include "stages/common/colmap_camera_models.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

ColmapModel Scene() { return SceneModel(IrregularCameras(), false); }

// Text that describes all of it.
std::string TextOf(const ColmapModel& model) {
  const TemporaryFolder folder;
  WriteColmapModel(model, folder);
  std::string text;
  for (const char* name : {"cameras.txt", "images.txt", "points3D.txt"}) {
    text += ReadFile(folder / name);
  }
  return text;
}

TEST(SceneModel, IsReadAsItWasWritten) {
  const TemporaryFolder folder;
  WriteColmapModel(Scene(), folder);
  const ColmapModel binary = ReadColmapModel(folder);
  fs::remove(folder / "images.bin");
  const ColmapModel text = ReadColmapModel(folder);
  for (const ColmapModel& model : {binary, text}) {
    ASSERT_EQ(model.cameras.size(), static_cast<size_t>(kSceneCameras));
    ASSERT_EQ(model.points.size(), ScenePoints().size());
    const std::vector<SceneCamera> cameras = IrregularCameras();
    for (size_t i = 0; i < cameras.size(); ++i) {
      const ColmapImage& image = model.images.at(SceneImageId(i));
      EXPECT_EQ(image.name, SceneJpegName(i));
      const ColmapCamera& camera = model.cameras.at(image.camera_id);
      EXPECT_EQ(camera.width, cameras[i].width);
      EXPECT_EQ(camera.height, cameras[i].height);
      EXPECT_THAT(
          camera.params,
          ElementsAre(
              cameras[i].fx, cameras[i].fy, cameras[i].cx, cameras[i].cy));
      EXPECT_EQ(image.observations[0].point3d_id, -1);
      const Rigid3 pose = WorldFromCamera(cameras[i]);
      EXPECT_LT((image.camera_from_world * pose.translation).norm(), 1e-12);
      EXPECT_TRUE((image.camera_from_world.rotation * pose.rotation)
                      .isApprox(Eigen::Matrix3d::Identity(), 1e-12));
    }
    EXPECT_LT(MeanReprojectionError(model), 1e-9);
  }
}

TEST(SceneModel, ImagesAreWrittenInTheOrderOfTheirNames) {
  const TemporaryFolder folder;
  WriteColmapModel(Scene(), folder);
  std::istringstream lines(ReadFile(folder / "images.txt"));
  std::vector<std::string> names;
  std::string line;
  while (std::getline(lines, line)) {
    const size_t at = line.find("IMG ");
    if (at == std::string::npos) continue;
    names.push_back(line.substr(at));
    // A quaternion and its negative turn alike; COLMAP writes this one.
    EXPECT_EQ(line.substr(line.find(' ') + 1, 1).find('-'), std::string::npos);
  }
  EXPECT_THAT(names,
              ElementsAre("IMG 10.jpg",
                          "IMG 11.jpg",
                          "IMG 12.jpg",
                          "IMG 13.jpg",
                          "IMG 14.jpg",
                          "IMG 15.jpg",
                          "IMG 5.jpg",
                          "IMG 6.jpg",
                          "IMG 7.jpg",
                          "IMG 8.jpg",
                          "IMG 9.jpg"));
  const std::string bytes = ReadFile(folder / "images.bin");
  std::vector<size_t> places;
  for (const std::string& name : names) {
    places.push_back(bytes.find(name + '\0'));
  }
  EXPECT_TRUE(std::is_sorted(places.begin(), places.end()));
}

// COLMAP's doc/format.rst, value by value.
TEST(SceneModel, TextIsWhatColmapDocuments) {
  ColmapModel model;
  model.cameras[5] = {2, 67, 49, {50.5, 30.25, 26.75, -0.125}};
  ColmapImage& image = model.images[31];
  image.name = "a b.jpg";
  image.camera_id = 5;
  // A quarter turn about x: a point below comes before the camera.
  image.camera_from_world.rotation << 1, 0, 0, 0, 0, -1, 0, 1, 0;
  image.camera_from_world.translation = {0.5, -2, 3};
  image.observations = {{{1.5, 2.5}, -1}, {{3.5, 4.5}, 77}};
  ColmapPoint& point = model.points[77];
  point.xyz = {8, 9, -10};
  point.rgb[0] = 11;
  point.rgb[1] = 12;
  point.rgb[2] = 13;
  point.error = 0.75;
  point.track = {{31, 1}};
  const std::string text = TextOf(model);
  EXPECT_THAT(text,
              HasSubstr("\n5 SIMPLE_RADIAL 67 49 50.5 30.25 26.75 -0.125\n"));
  EXPECT_THAT(text, HasSubstr(" 0.5 -2 3 5 a b.jpg\n1.5 2.5 -1 3.5 4.5 77\n"));
  EXPECT_THAT(text, HasSubstr("\n31 0.70710678118654"));
  EXPECT_THAT(text, HasSubstr("\n77 8 9 -10 11 12 13 0.75 31 1\n"));
}

// Every observation moved by (3, -4), 5 pixels.
TEST(MeanReprojectionError, IsTheMeanDistanceInPixels) {
  ColmapModel model = Scene();
  for (auto& [id, image] : model.images) {
    for (auto& observation : image.observations) {
      observation.xy += Eigen::Vector2d(3, -4);
    }
  }
  EXPECT_NEAR(MeanReprojectionError(model), 5, 1e-9);
  model.points.clear();
  EXPECT_EQ(MeanReprojectionError(model), 0);
}

TEST(MeanReprojectionError, APointBehindItsCameraIsADiagonalOff) {
  ColmapModel model = Scene();
  ColmapPoint point = model.points.begin()->second;
  const uint32_t image = SceneImageId(3);
  point.xyz = model.images.at(image).camera_from_world.Inverse() *
              Eigen::Vector3d(0, 0, -2);
  point.track = {{image, 1}};
  model.points = {{5, point}};
  const SceneCamera camera = IrregularCameras()[3];
  EXPECT_DOUBLE_EQ(MeanReprojectionError(model),
                   std::hypot(camera.width, camera.height));
}

TEST(MeanReprojectionError, KnowsTheLensWithOneFocalLength) {
  ColmapModel model;
  model.cameras[3] = {0, 67, 49, {50, 30, 20}};
  ColmapImage& image = model.images[8];
  image.camera_id = 3;
  image.observations = {{{30 + 10, 20 + 5}, 2}};
  model.points[2].xyz = {0.4, 0.2, 2};
  model.points[2].track = {{8, 0}};
  EXPECT_NEAR(MeanReprojectionError(model), 0, 1e-12);
}

}  // namespace
}  // namespace nerfpipe
