#include "stages/nerf/jobs/scene_file.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/json_text.h"
#include "stages/nerf/scene_analysis.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace nerfpipe {
namespace {

using Json = nlohmann::ordered_json;

Json ViewToJson(const nerf::View& view, const nerf::DepthRange& otherwise) {
  const nerf::Camera& camera = view.camera;
  const bool bounded = view.near > 0 && view.far > view.near;
  return {{"name", ToJsonText(view.name)},
          {"width", camera.width},
          {"height", camera.height},
          {"fx", camera.fx},
          {"fy", camera.fy},
          {"cx", camera.cx},
          {"cy", camera.cy},
          {"near", bounded ? view.near : otherwise.near},
          {"far", bounded ? view.far : otherwise.far},
          {"world_from_camera", camera.world_from_camera}};
}

nerf::View ViewFromJson(const Json& json) {
  nerf::View view;
  view.name = FromJsonText(json.at("name").get<std::string>());
  view.near = json.at("near").get<double>();
  view.far = json.at("far").get<double>();
  nerf::Camera& camera = view.camera;
  camera.width = json.at("width").get<int>();
  camera.height = json.at("height").get<int>();
  camera.fx = json.at("fx").get<double>();
  camera.fy = json.at("fy").get<double>();
  camera.cx = json.at("cx").get<double>();
  camera.cy = json.at("cy").get<double>();
  camera.world_from_camera =
      json.at("world_from_camera").get<std::array<double, 12>>();
  return view;
}

}  // namespace

int SceneFile::LongerSide() const {
  int side = 0;
  for (const nerf::View& view : views.train) {
    side = std::max({side, view.camera.width, view.camera.height});
  }
  return side;
}

void WriteSceneFile(const SceneFile& scene, const std::filesystem::path& path) {
  const nerf::DepthRange depths = nerf::DepthsOf(scene.views);
  Json root = {{"axes", "OpenGL: x right, y up, z backward"},
               {"factor", scene.factor},
               {"llffhold", scene.llffhold},
               {"ssim", scene.ssim},
               {"train", Json::array()},
               {"test", Json::array()}};
  for (const nerf::View& view : scene.views.train) {
    root["train"].push_back(ViewToJson(view, depths));
  }
  for (const nerf::View& view : scene.views.test) {
    root["test"].push_back(ViewToJson(view, depths));
  }
  WriteFileAtomically(path, root.dump(1) + "\n");
}

SceneFile ReadSceneFile(const std::filesystem::path& path) {
  SceneFile scene;
  try {
    const Json root = Json::parse(ReadFile(path));
    scene.factor = root.at("factor").get<int>();
    scene.llffhold = root.at("llffhold").get<int>();
    scene.ssim = root.value("ssim", -1.0);
    for (const Json& view : root.at("train")) {
      scene.views.train.push_back(ViewFromJson(view));
    }
    for (const Json& view : root.at("test")) {
      scene.views.test.push_back(ViewFromJson(view));
    }
  } catch (const Json::exception&) {
    throw UserError(path.string() + " is damaged", "train the scene again");
  }
  if (scene.views.train.empty()) {
    throw UserError(path.string() + " has no cameras", "train the scene again");
  }
  return scene;
}

}  // namespace nerfpipe
