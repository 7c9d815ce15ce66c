#include "stages/llff/transforms_json.h"

#include "stages/common/axes.h"
#include "stages/common/dataset_folder.h"
#include "stages/llff/depth_bounds.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <nlohmann/json.hpp>

namespace nerfpipe {
namespace {

using Json = nlohmann::ordered_json;

// Mean distance of the cameras from the middle of the scene in instant-ngp's
// unit cube: its own converter scales that distance to 4, its loader by 0.33.
constexpr double kCameraDistance = 4 * 0.33;
constexpr int kMaxAabbScale = 128;

std::string Text(const Json& json) {
  // File names need not be UTF-8.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json Vector(const Eigen::Vector3d& v) { return {v.x(), v.y(), v.z()}; }

// The component-wise median of the points: strays do not move it.
Eigen::Vector3d MiddleOf(const ColmapModel& model) {
  Eigen::Vector3d middle = Eigen::Vector3d::Zero();
  if (model.points.empty()) return middle;
  for (int axis = 0; axis < 3; ++axis) {
    std::vector<double> values;
    for (const auto& [id, point] : model.points) {
      values.push_back(point.xyz[axis]);
    }
    middle[axis] = Percentile(values, 50);
  }
  return middle;
}

// Adds scale, offset, up and aabb_scale.
void PlaceInUnitCube(const ColmapModel& model, Json* json) {
  const Eigen::Vector3d middle = MiddleOf(model);
  Eigen::Vector3d up = Eigen::Vector3d::Zero();
  double distance = 0;
  std::vector<double> reach;
  for (const auto& [id, image] : model.images) {
    const Rigid3 pose = OpenGlFromColmapAxes(image.camera_from_world.Inverse());
    up += pose.rotation.col(1);
    distance += (pose.translation - middle).norm() /
                static_cast<double>(model.images.size());
    reach.push_back((pose.translation - middle).cwiseAbs().maxCoeff());
  }
  double extent = *std::max_element(reach.begin(), reach.end());
  if (!model.points.empty()) {
    reach.clear();
    for (const auto& [id, point] : model.points) {
      reach.push_back((point.xyz - middle).cwiseAbs().maxCoeff());
    }
    extent = std::max(extent, Percentile(reach, 95));
  }

  const double scale = distance > 0 ? kCameraDistance / distance : 1;
  int aabb_scale = 1;
  while (aabb_scale < kMaxAabbScale && aabb_scale < 2 * scale * extent) {
    aabb_scale *= 2;
  }
  (*json)["aabb_scale"] = aabb_scale;
  (*json)["scale"] = scale;
  (*json)["offset"] = Vector(Eigen::Vector3d::Constant(0.5) - scale * middle);
  if (up.norm() > 1e-6) (*json)["up"] = Vector(up.normalized());
}

void AddIntrinsics(const Pinhole& camera, Json* json) {
  Json& head = *json;
  head["w"] = camera.width;
  head["h"] = camera.height;
  head["fl_x"] = camera.fx;
  head["fl_y"] = camera.fy;
  head["cx"] = camera.cx;
  head["cy"] = camera.cy;
  head["camera_angle_x"] = 2 * std::atan(camera.width / (2 * camera.fx));
  head["camera_angle_y"] = 2 * std::atan(camera.height / (2 * camera.fy));
}

Json FrameOf(const ColmapImage& image) {
  const Rigid3 pose = OpenGlFromColmapAxes(image.camera_from_world.Inverse());
  Json matrix = Json::array();
  for (int i = 0; i < 3; ++i) {
    matrix.push_back({pose.rotation(i, 0),
                      pose.rotation(i, 1),
                      pose.rotation(i, 2),
                      pose.translation[i]});
  }
  matrix.push_back({0.0, 0.0, 0.0, 1.0});
  Json frame;
  frame["file_path"] = std::string(kImagesFolder) + "/" + image.name;
  frame["transform_matrix"] = std::move(matrix);
  return frame;
}

}  // namespace

std::string TransformsJson(const ColmapModel& model,
                           const Pinholes& cameras,
                           const std::set<std::string>& masks) {
  const std::optional<Pinhole> shared = SharedPinhole(cameras);
  Json head;
  head["camera_model"] = "PINHOLE";
  if (shared) AddIntrinsics(*shared, &head);
  PlaceInUnitCube(model, &head);

  // A key or a frame per line: people read this file.
  std::string text = "{\n";
  for (const auto& [key, value] : head.items()) {
    text += "  " + Text(key) + ": " + Text(value) + ",\n";
  }
  text += "  \"frames\": [";
  const char* separator = "\n";
  for (const uint32_t id : ImageIdsByName(model)) {
    const ColmapImage& image = model.images.at(id);
    Json frame = FrameOf(image);
    // Readers take the intrinsics of a frame only where the head has none.
    if (!shared) AddIntrinsics(cameras.at(image.camera_id), &frame);
    const std::string mask = MaskName(image.name);
    if (masks.contains(mask)) {
      frame["mask_path"] = std::string(kMasksFolder) + "/" + mask;
    }
    text += separator + ("    " + Text(frame));
    separator = ",\n";
  }
  return text + "\n  ]\n}\n";
}

}  // namespace nerfpipe
