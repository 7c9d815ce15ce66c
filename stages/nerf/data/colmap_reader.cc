// COLMAP folders: images/ and a sparse model of pinhole cameras.

#include "pipeline/base/error.h"
#include "stages/common/axes.h"
#include "stages/common/colmap_camera_models.h"
#include "stages/common/dataset_folder.h"
#include "stages/nerf/data/posed_image.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <unordered_map>

namespace nerfpipe::nerf {
namespace {

namespace fs = std::filesystem;

bool HasModel(const fs::path& folder) {
  for (const char* suffix : {".bin", ".txt"}) {
    const std::string end = suffix;
    if (fs::is_regular_file(folder / ("cameras" + end)) &&
        fs::is_regular_file(folder / ("images" + end))) {
      return true;
    }
  }
  return false;
}

// Any model is fine as long as its distortion is zero.
Pinhole PinholeOf(const ColmapCamera& camera, const std::string& model) {
  const ColmapCameraModel* kind = FindColmapCameraModel(camera.model_id);
  NERFPIPE_CHECK(kind != nullptr);
  const size_t intrinsics = kind->single_focal ? 3 : 4;
  NERFPIPE_CHECK(camera.params.size() >= intrinsics);
  const bool distorted =
      kind->distorted && std::any_of(camera.params.begin() + intrinsics,
                                     camera.params.end(),
                                     [](double k) { return k != 0; });
  // The models from number 5 on are fisheye or otherwise not a pinhole, also
  // with all coefficients zero.
  if (distorted || camera.model_id > 4) {
    throw UserError("the cameras of " + model + " are distorted (" +
                        std::string(kind->name) + ")",
                    "undistort first: colmap image_undistorter, or nerfpipe "
                    "run on the images");
  }
  const std::vector<double>& p = camera.params;
  Pinhole pinhole;
  pinhole.width = static_cast<int>(camera.width);
  pinhole.height = static_cast<int>(camera.height);
  pinhole.fx = p[0];
  pinhole.fy = kind->single_focal ? p[0] : p[1];
  pinhole.cx = p[intrinsics - 2];
  pinhole.cy = p[intrinsics - 1];
  if (!(pinhole.width > 0 && pinhole.height > 0 && pinhole.fx > 0 &&
        pinhole.fy > 0)) {
    throw UserError("a camera of " + model + " has no size or focal length",
                    "make the model again");
  }
  return pinhole;
}

bool IsSteady(const ColmapPoint& point) {
  return point.track.size() >= 3 && point.error <= 2;
}

// Copies of another size may have another extension.
fs::path Stem(const std::string& name) {
  return fs::path(name).replace_extension();
}

// Those of PointsOf(), in its order.
std::vector<int64_t> ChosenPoints(const ColmapModel& model) {
  std::vector<int64_t> steady, all;
  for (const auto& [id, point] : model.points) {
    all.push_back(static_cast<int64_t>(id));
    if (IsSteady(point)) steady.push_back(static_cast<int64_t>(id));
  }
  return 2 * steady.size() >= all.size() ? steady : all;
}

double QuantileOfSorted(const std::vector<double>& values, double share) {
  const double position = share * (values.size() - 1);
  const size_t below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (position - below) * (values[above] - values[below]);
}

// LLFF's bounds: 0.1 and 99.9 percent of the depths of the points seen.
void SetBounds(const ColmapModel& model,
               const ColmapImage& image,
               PosedImage* posed) {
  std::vector<double> depths;
  for (const auto& observation : image.observations) {
    if (observation.point3d_id < 0) {
      continue;
    }
    const auto point = model.points.find(observation.point3d_id);
    if (point != model.points.end() && IsSteady(point->second)) {
      const double depth = (image.camera_from_world * point->second.xyz).z();
      if (depth > 0) {
        depths.push_back(depth);
      }
    }
  }
  if (depths.size() < 2) {
    return;
  }
  std::sort(depths.begin(), depths.end());
  posed->near = QuantileOfSorted(depths, 0.001);
  posed->far = QuantileOfSorted(depths, 0.999);
}

}  // namespace

fs::path FindSparseModel(const fs::path& folder) {
  for (const char* name : {kSparseFolder, "sparse"}) {
    if (HasModel(folder / name)) {
      return folder / name;
    }
  }
  return {};
}

torch::Tensor PointsOf(const ColmapModel& model) {
  std::vector<double> numbers;
  for (const int64_t id : ChosenPoints(model)) {
    const Eigen::Vector3d& xyz = model.points.at(id).xyz;
    numbers.insert(numbers.end(), xyz.begin(), xyz.end());
  }
  return torch::tensor(numbers, torch::kDouble)
      .reshape({static_cast<int64_t>(numbers.size() / 3), 3});
}

void SetSeen(const ColmapModel& model, std::vector<PosedImage>* views) {
  std::unordered_map<int64_t, int64_t> place;
  for (const int64_t id : ChosenPoints(model)) {
    place.emplace(id, std::ssize(place));
  }
  std::map<fs::path, const ColmapImage*> by_stem;
  for (const auto& [id, image] : model.images) {
    by_stem[Stem(image.name)] = &image;
  }
  for (PosedImage& view : *views) {
    const auto image = by_stem.find(Stem(view.name));
    if (image == by_stem.end()) continue;
    for (const auto& observation : image->second->observations) {
      const auto point = place.find(observation.point3d_id);
      if (point != place.end()) view.seen.push_back(point->second);
    }
  }
}

torch::Tensor SightsOf(const ColmapModel& model,
                       const std::vector<PosedImage>& views) {
  std::set<fs::path> wanted;
  for (const PosedImage& view : views) wanted.insert(Stem(view.name));
  std::vector<double> numbers;
  for (const auto& [id, image] : model.images) {
    if (!wanted.contains(Stem(image.name))) continue;
    const Eigen::Vector3d centre =
        image.camera_from_world.Inverse().translation;
    for (const auto& observation : image.observations) {
      if (observation.point3d_id < 0) continue;
      const auto point = model.points.find(observation.point3d_id);
      if (point == model.points.end() || !IsSteady(point->second)) continue;
      numbers.insert(numbers.end(), centre.begin(), centre.end());
      numbers.insert(
          numbers.end(), point->second.xyz.begin(), point->second.xyz.end());
    }
  }
  return torch::tensor(numbers, torch::kDouble)
      .reshape({static_cast<int64_t>(numbers.size() / 6), 2, 3});
}

PosedImages ReadColmap(const fs::path& folder,
                       int factor,
                       int llffhold,
                       Report& report) {
  const fs::path model_folder = FindSparseModel(folder);
  NERFPIPE_CHECK(!model_folder.empty());
  const ColmapModel model = ReadColmapModel(model_folder, false);
  std::vector<PosedImage> all;
  std::vector<std::string> missing;
  for (const auto& [id, image] : model.images) {
    const auto camera = model.cameras.find(image.camera_id);
    if (camera == model.cameras.end()) {
      throw UserError("image " + image.name + " in " + model_folder.string() +
                          " has no camera",
                      "make the model again");
    }
    PosedImage posed;
    posed.name = image.name;
    posed.file = folder / kImagesFolder / image.name;
    posed.camera =
        MakeCamera(OpenGlFromColmapAxes(image.camera_from_world.Inverse()),
                   PinholeOf(camera->second, model_folder.string()));
    SetBounds(model, image, &posed);
    if (fs::is_regular_file(posed.file)) {
      all.push_back(std::move(posed));
    } else {
      missing.push_back(image.name);
    }
  }
  if (all.empty()) {
    throw UserError("none of the " + std::to_string(model.images.size()) +
                        " images of " + model_folder.string() + " is in " +
                        (folder / kImagesFolder).string(),
                    "put the undistorted images there");
  }
  if (!missing.empty()) {
    report.Warn(std::to_string(missing.size()) +
                " images of the model are not in " +
                (folder / kImagesFolder).string() +
                " and are left out, the first is " + missing.front() + ".");
  }
  UseFactor(folder, factor, &all);
  UseMasks(folder, factor, &all, report);
  PosedImages result;
  SplitEvery(std::move(all), llffhold, &result);
  result.points = PointsOf(model);
  result.sights = SightsOf(model, result.train);
  SetSeen(model, &result.train);
  return result;
}

}  // namespace nerfpipe::nerf
