// The one camera, transforms.json and config_nerf_pytorch.txt.

#include "pipeline/base/error.h"
#include "stages/common/colmap_camera_models.h"
#include "stages/llff/nerf_pytorch_config.h"
#include "stages/llff/shared_camera.h"
#include "stages/llff/transforms_json.h"
#include "tests/stages/llff/llff_scene.h"

#include <cmath>
#include <map>
#include <numbers>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nerfpipe {
namespace {

using testing::HasSubstr;

TEST(SharedPinhole, IsThatOfTheModel) {
  const Pinholes cameras = CentredPinholes(LlffModel(), "x");
  ASSERT_EQ(cameras.size(), 1u);
  const Pinhole pinhole = SharedPinhole(cameras).value();
  EXPECT_EQ(pinhole.width, 53);
  EXPECT_EQ(pinhole.height, 37);
  EXPECT_EQ(pinhole.fx, 57.4);
  EXPECT_EQ(pinhole.fy, 57.4);
  EXPECT_EQ(pinhole.cx, 26.5);
  EXPECT_EQ(pinhole.cy, 18.5);
}

// With this camera for its last image.
ColmapModel WithCamera(const ColmapCamera& camera) {
  ColmapModel model = LlffModel();
  model.cameras[3] = camera;
  model.images.rbegin()->second.camera_id = 3;
  return model;
}

TEST(SharedPinhole, EqualCamerasMayHaveTwoNumbersAndModels) {
  const Pinholes cameras = CentredPinholes(
      WithCamera({0, 53, 37, {57.4, 26.5, 18.5}}), "x");  // SIMPLE_PINHOLE
  ASSERT_EQ(cameras.size(), 2u);
  EXPECT_EQ(cameras.at(3).fy, 57.4);
  EXPECT_TRUE(SharedPinhole(cameras).has_value());
}

TEST(SharedPinhole, IsNothingWhenTheCamerasDiffer) {
  const auto is_shared = [](const ColmapCamera& camera) {
    return SharedPinhole(CentredPinholes(WithCamera(camera), "x")).has_value();
  };
  EXPECT_TRUE(is_shared({1, 53, 37, {57.4, 57.4, 26.5, 18.5}}));
  EXPECT_FALSE(is_shared({1, 53, 37, {58, 58, 26.5, 18.5}}));
  EXPECT_FALSE(is_shared({1, 55, 37, {57.4, 57.4, 27.5, 18.5}}));
  EXPECT_FALSE(is_shared({1, 53, 39, {57.4, 57.4, 26.5, 19.5}}));
}

std::string RefusalOf(const ColmapCamera& camera) {
  try {
    CentredPinholes(WithCamera(camera), "sparse/0");
  } catch (const UserError& error) {
    return error.what();
  }
  return "taken";
}

TEST(CentredPinholes, RefuseWhatTheFormatDoesNotKnow) {
  EXPECT_EQ(RefusalOf({1, 55, 39, {58, 58, 27.5, 19.5}}), "taken");
  EXPECT_THAT(RefusalOf({1, 53, 37, {57.4, 57.5, 26.5, 18.5}}),
              HasSubstr("sparse/0: camera 3 has two different focal lengths"));
  const char* const middle = "camera 3 has its principal point off the middle";
  EXPECT_THAT(RefusalOf({1, 53, 37, {57.4, 57.4, 26.6, 18.5}}),
              HasSubstr(middle));
  EXPECT_THAT(RefusalOf({1, 53, 37, {57.4, 57.4, 26.5, 18.4}}),
              HasSubstr(middle));
  EXPECT_THAT(RefusalOf({0, 53, 37, {57.4, 26.5, 18.6}}), HasSubstr(middle));
  EXPECT_THAT(RefusalOf({1, 53, 37, {57.4, 57.5, 26.5, 18.5}}),
              HasSubstr("run the colmap stage, which undistorts"));
}

TEST(CentredPinholes, RefuseEveryDistortedModel) {
  for (int id = 2; id <= 10; ++id) {
    const ColmapCameraModel& kind = *FindColmapCameraModel(id);
    std::vector<double> params = {57.4, 26.5, 18.5};
    if (!kind.single_focal) params.insert(params.begin(), 57.4);
    params.resize(kind.num_params);
    EXPECT_THAT(RefusalOf({id, 53, 37, params}),
                HasSubstr("camera 3 is a " + std::string(kind.name)));
  }
}

TEST(CentredPinholes, AModelWithoutImagesIsNamed) {
  try {
    CentredPinholes({}, "sparse/0");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("sparse/0: the model has no images"));
  }
}

nlohmann::json Transforms(const ColmapModel& model) {
  return nlohmann::json::parse(
      TransformsJson(model, {{9, {53, 37, 57.4, 49.8, 28.3, 16.9}}}, {}));
}

// The format could hold any pinhole, so each of its numbers is looked at.
TEST(TransformsJson, HoldsTheLens) {
  const auto json = Transforms(LlffModel());
  EXPECT_EQ(json["camera_model"], "PINHOLE");
  EXPECT_EQ(json["w"], 53);
  EXPECT_EQ(json["h"], 37);
  EXPECT_EQ(json["fl_x"], 57.4);
  EXPECT_EQ(json["fl_y"], 49.8);
  EXPECT_EQ(json["cx"], 28.3);
  EXPECT_EQ(json["cy"], 16.9);
  EXPECT_NEAR(
      std::tan(json["camera_angle_x"].get<double>() / 2), 53 / 57.4 / 2, 1e-12);
  EXPECT_NEAR(
      std::tan(json["camera_angle_y"].get<double>() / 2), 37 / 49.8 / 2, 1e-12);
}

// nerfstudio looks into the frames for what the head does not have.
TEST(TransformsJson, CamerasThatDifferStandInTheFrames) {
  ColmapModel model = LlffModel();
  model.images.at(SceneImageId(3)).camera_id = 5;
  const auto json = nlohmann::json::parse(
      TransformsJson(model,
                     {{9, {53, 37, 57.4, 49.8, 28.3, 16.9}},
                      {5, {61, 43, 70.5, 69.1, 29.4, 22.3}}},
                     {}));
  for (const char* key : {"w", "h", "fl_x", "fl_y", "cx", "cy"}) {
    EXPECT_FALSE(json.contains(key)) << key;
  }
  EXPECT_EQ(json["camera_model"], "PINHOLE");
  for (const auto& frame : json["frames"]) {
    const bool other = frame["file_path"] == "images/" + SceneJpegName(3);
    EXPECT_EQ(frame["w"], other ? 61 : 53);
    EXPECT_EQ(frame["h"], other ? 43 : 37);
    EXPECT_EQ(frame["fl_x"], other ? 70.5 : 57.4);
    EXPECT_EQ(frame["fl_y"], other ? 69.1 : 49.8);
    EXPECT_EQ(frame["cx"], other ? 29.4 : 28.3);
    EXPECT_EQ(frame["cy"], other ? 22.3 : 16.9);
  }
}

TEST(TransformsJson, NamesTheMasksThatThereAre) {
  const auto json = nlohmann::json::parse(TransformsJson(
      LlffModel(2), {{9, {53, 37, 57.4, 49.8, 28.3, 16.9}}}, {"IMG 6.png"}));
  EXPECT_FALSE(json["frames"][0].contains("mask_path"));
  EXPECT_EQ(json["frames"][1]["file_path"], "images/IMG 6.jpg");
  EXPECT_EQ(json["frames"][1]["mask_path"], "masks/IMG 6.png");
}

// Right, up, backward, centre; frames in the order of the names.
TEST(TransformsJson, FramesAreTheCamerasInOpenGlAxes) {
  const auto json = Transforms(LlffModel());
  const std::vector<SceneCamera> cameras = LlffCameras();
  const std::vector<int> rows = LlffRows();
  ASSERT_EQ(json["frames"].size(), rows.size());
  for (size_t k = 0; k < rows.size(); ++k) {
    const auto& frame = json["frames"][k];
    EXPECT_EQ(frame["file_path"], "images/" + SceneJpegName(rows[k]));
    const auto& pose = cameras[rows[k]].world_from_camera;
    for (int i = 0; i < 3; ++i) {
      const auto& row = frame["transform_matrix"][i];
      EXPECT_NEAR(row[0], pose[4 * i], 1e-12);
      EXPECT_NEAR(row[1], -pose[4 * i + 1], 1e-12);
      EXPECT_NEAR(row[2], -pose[4 * i + 2], 1e-12);
      EXPECT_NEAR(row[3], pose[4 * i + 3], 1e-12);
    }
    EXPECT_EQ(frame["transform_matrix"][3], nlohmann::json({0, 0, 0, 1}));
  }
}

Eigen::Vector3d VectorOf(const nlohmann::json& json) {
  return {json[0].get<double>(), json[1].get<double>(), json[2].get<double>()};
}

// instant-ngp puts x at scale * x + offset, in a box round (0.5, 0.5, 0.5) with
// sides of aabb_scale.
TEST(TransformsJson, PlacesTheSceneInTheBoxOfInstantNgp) {
  const auto json = Transforms(LlffModel());
  const double scale = json["scale"];
  const auto from_middle = [&](const SceneVector& x) -> Eigen::Vector3d {
    return scale * Eigen::Vector3d(x[0], x[1], x[2]) +
           VectorOf(json["offset"]) - Eigen::Vector3d::Constant(0.5);
  };
  double distance = 0, reach = 0;
  Eigen::Vector3d up(0, 0, 0);
  for (const SceneCamera& camera : LlffCameras()) {
    const auto& pose = camera.world_from_camera;
    const Eigen::Vector3d centre = from_middle({pose[3], pose[7], pose[11]});
    distance += centre.norm() / kSceneCameras;
    reach = std::max(reach, centre.cwiseAbs().maxCoeff());
    up -= Eigen::Vector3d(pose[1], pose[5], pose[9]);
  }
  EXPECT_NEAR(distance, 4 * 0.33, 1e-9);
  EXPECT_LT((VectorOf(json["up"]) - up.normalized()).norm(), 1e-12);
  // Half of the points lie on either side of the middle.
  for (int axis = 0; axis < 3; ++axis) {
    int above = 0, below = 0;
    for (const SceneVector& point : ScenePoints()) {
      above += from_middle(point)[axis] > 1e-12;
      below += from_middle(point)[axis] < -1e-12;
    }
    EXPECT_EQ(above, below) << axis;
  }
  // Room for all cameras, in powers of two; the stray point does not count.
  const double aabb_scale = json["aabb_scale"];
  EXPECT_LE(reach, aabb_scale / 2);
  EXPECT_GT(reach, aabb_scale / 4);
}

TEST(TransformsJson, TheBoxHoldsPointsAsWellUpToItsLimit) {
  ColmapModel model = LlffModel();
  model.images.erase(SceneImageId(kFarAwayView));
  const auto aabb_of = [&](double far) {
    ColmapModel grown = model;
    // Six of sixty, on either side of the middle.
    int k = 0;
    for (auto& [id, point] : grown.points) {
      if (++k % 10 == 0) point.xyz.y() = k % 20 == 0 ? far : -far;
    }
    const auto json = Transforms(grown);
    const double reach = json["scale"].get<double>() * far;
    const double aabb_scale = json["aabb_scale"];
    EXPECT_TRUE(reach <= 1.02 * aabb_scale / 2 || aabb_scale == 128) << far;
    EXPECT_GT(reach, 0.98 * aabb_scale / 4) << far;
    return aabb_scale;
  };
  EXPECT_GE(aabb_of(30), 16);
  EXPECT_EQ(aabb_of(1e4), 128);
}

TEST(TransformsJson, AModelWithoutPointsIsPlacedRoundTheOrigin) {
  ColmapModel model = LlffModel();
  model.points.clear();
  const auto json = Transforms(model);
  EXPECT_EQ(json["offset"], nlohmann::json({0.5, 0.5, 0.5}));
}

TEST(TransformsJson, NamesNeedNotBeUtf8) {
  ColmapModel model = LlffModel();
  model.images.begin()->second.name = "a\xe9.jpg";
  EXPECT_EQ(Transforms(model)["frames"][10]["file_path"],
            "images/a\xef\xbf\xbd.jpg");
}

// Cameras that look along z, turned about y by these degrees.
ColmapModel Looking(const std::vector<double>& degrees) {
  ColmapModel model;
  for (size_t i = 0; i < degrees.size(); ++i) {
    const double angle = degrees[i] * std::numbers::pi / 180;
    Rigid3 pose;
    pose.rotation =
        Eigen::AngleAxisd(angle, Eigen::Vector3d::UnitY()).toRotationMatrix() *
        Eigen::AngleAxisd(0.3 * static_cast<double>(i),
                          Eigen::Vector3d::UnitZ())
            .toRotationMatrix();
    pose.translation = {1.0 * static_cast<double>(i), 2, -3};
    model.images[static_cast<uint32_t>(40 - i)].camera_from_world =
        pose.Inverse();
  }
  return model;
}

TEST(IsForwardFacing, WithinThirtyDegreesForNineInTen) {
  EXPECT_TRUE(IsForwardFacing(Looking({29, -29, 5, -5})));
  EXPECT_FALSE(IsForwardFacing(Looking({31, -31, 5, -5})));
  std::vector<double> degrees;
  for (int k = 0; k < 9; ++k) degrees.insert(degrees.end(), {20, -20});
  degrees.insert(degrees.end(), {80, -80});
  EXPECT_TRUE(IsForwardFacing(Looking(degrees)));  // 18 of 20
  degrees.insert(degrees.end(), {85, -85});
  EXPECT_FALSE(IsForwardFacing(Looking(degrees)));  // 18 of 22
  EXPECT_FALSE(IsForwardFacing(Looking({0, 180})));
  EXPECT_FALSE(IsForwardFacing(LlffModel()));
}

// The flags of a --config file.
std::map<std::string, std::string> FlagsOf(const std::string& text) {
  std::map<std::string, std::string> flags;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    const size_t at = line.find(" = ");
    if (line.empty() || line[0] == '#') continue;
    EXPECT_NE(at, std::string::npos) << line;
    flags[line.substr(0, at)] = line.substr(at + 3);
  }
  return flags;
}

TEST(NerfPytorchConfig, HasTheFlagsOfLlffScenes) {
  std::map<std::string, std::string> flags = {
      {"expname", "fern"},
      {"basedir", "./logs"},
      {"datadir", "./data/nerf_llff_data/fern"},
      {"dataset_type", "llff"},
      {"factor", "8"},
      {"llffhold", "8"},
      {"N_rand", "1024"},
      {"N_samples", "64"},
      {"N_importance", "64"},
      {"use_viewdirs", "True"},
      {"raw_noise_std", "1e0"}};
  EXPECT_EQ(FlagsOf(NerfPytorchConfig("fern", true)), flags);
  flags["no_ndc"] = "True";
  flags["spherify"] = "True";
  flags["lindisp"] = "True";
  EXPECT_EQ(FlagsOf(NerfPytorchConfig("fern", false)), flags);
}

}  // namespace
}  // namespace nerfpipe
