#include "stages/llff/loader_check.h"

#include "pipeline/base/error.h"
#include "pipeline/base/folders.h"
#include "stages/common/axes.h"
#include "stages/common/npy.h"
#include "stages/media/image_file.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kColumns = 17;

[[noreturn]] void Fail(const fs::path& path, const std::string& what) {
  throw UserError(path.string() + ": " + what,
                  "nerf-pytorch cannot load this folder, so run the colmap "
                  "and poses stages again");
}

// The loader takes every entry, hidden or a folder, whose name ends in one of
// three suffixes, written exactly so and without a dot.
std::vector<std::string> LoadedNames(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : EntriesOf(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with("JPG") || name.ends_with("jpg") ||
        name.ends_with("png")) {
      names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

ImageSize CommonSize(const fs::path& folder,
                     const std::vector<std::string>& names) {
  const ImageSize first = ReadImageSize(folder / names.front());
  for (const std::string& name : names) {
    const ImageSize size = ReadImageSize(folder / name);
    if (size != first) {
      Fail(folder / name,
           "is " + std::to_string(size.width) + " x " +
               std::to_string(size.height) + " but '" + names.front() +
               "' is " + std::to_string(first.width) + " x " +
               std::to_string(first.height));
    }
  }
  return first;
}

// A row's 3 x 5 matrix without its last column, in OpenGL axes.
Rigid3 PoseOfRow(const double* row) {
  Rigid3 pose;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) pose.rotation(i, j) = row[5 * i + j];
    pose.translation[i] = row[5 * i + 3];
  }
  return OpenGlFromLlffAxes(pose);
}

}  // namespace

LoadedScene LoadAsNerfPytorch(const fs::path& poses_bounds,
                              const fs::path& images,
                              int factor) {
  const NpyArray array = ReadNpy(poses_bounds);
  if (array.shape.size() != 2 || array.shape[1] != kColumns ||
      array.shape[0] < 1) {
    Fail(poses_bounds, "is not a table of 17 columns");
  }
  LoadedScene scene;
  scene.names = LoadedNames(images);
  const size_t count = static_cast<size_t>(array.shape[0]);
  if (scene.names.size() != count) {
    Fail(images,
         "holds " + std::to_string(scene.names.size()) +
             " images but there are " + std::to_string(count) + " poses");
  }
  const ImageSize size = CommonSize(images, scene.names);
  scene.width = size.width;
  scene.height = size.height;
  scene.focal = array.values[14] / factor;
  for (size_t i = 0; i < count; ++i) {
    const double* row = array.values.data() + kColumns * i;
    if (!std::all_of(row, row + kColumns, [](double value) {
          return std::isfinite(value);
        })) {
      Fail(poses_bounds, "row " + std::to_string(i) + " is not all numbers");
    }
    scene.world_from_camera.push_back(PoseOfRow(row));
    scene.bounds.push_back({row[15], row[16]});
    if (row[15] <= 0 || row[16] < row[15]) {
      Fail(poses_bounds,
           "the bounds of '" + scene.names[i] + "' are " +
               std::to_string(row[15]) + " and " + std::to_string(row[16]));
    }
  }
  if (!(scene.focal > 0))
    Fail(poses_bounds, "the focal length is not positive");
  return scene;
}

double MeanReprojectionError(const ColmapModel& model,
                             const LoadedScene& scene) {
  std::unordered_map<std::string_view, size_t> row_of_name;
  for (size_t i = 0; i < scene.names.size(); ++i) {
    row_of_name[scene.names[i]] = i;
  }
  std::unordered_map<uint32_t, Rigid3> camera_from_world;
  for (const auto& [id, image] : model.images) {
    const auto row = row_of_name.find(image.name);
    if (row == row_of_name.end()) {
      throw UserError(
          "image '" + image.name + "' of the model is not among the images",
          "run the colmap stage again");
    }
    camera_from_world[id] = scene.world_from_camera[row->second].Inverse();
  }

  const Eigen::Vector2d middle(scene.width / 2.0, scene.height / 2.0);
  double sum = 0;
  int64_t count = 0;
  for (const auto& [id, point] : model.points) {
    for (const ColmapPoint::TrackElement& element : point.track) {
      const Eigen::Vector3d x = camera_from_world[element.image_id] * point.xyz;
      const Eigen::Vector2d& seen = model.images.at(element.image_id)
                                        .observations.at(element.observation)
                                        .xy;
      // OpenGL axes: the camera looks along -z, and y points up.
      const Eigen::Vector2d projected =
          middle + scene.focal * Eigen::Vector2d(x.x(), -x.y()) / -x.z();
      sum += x.z() < 0 ? (projected - seen).norm()
                       : std::hypot(scene.width, scene.height);
      ++count;
    }
  }
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

}  // namespace nerfpipe
