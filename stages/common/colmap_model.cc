#include "stages/common/colmap_model.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/common/colmap_camera_models.h"
#include "stages/common/colmap_model_files.h"

#include <cmath>
#include <set>
#include <utility>

namespace nerfpipe {
namespace colmap_files {
namespace {

// Larger than any sensor; keeps width * height and int conversions safe.
constexpr int64_t kMaxSide = 1000000;

}  // namespace

void FailRead(const std::string& file, const std::string& what) {
  throw UserError(file + ": " + what,
                  "the file is damaged or incomplete, so copy it again or "
                  "repeat the reconstruction");
}

void AddCamera(uint32_t id,
               ColmapCamera camera,
               const std::string& file,
               ColmapModel* model) {
  const std::string record = "camera " + std::to_string(id);
  if (camera.width < 1 || camera.width > kMaxSide || camera.height < 1 ||
      camera.height > kMaxSide) {
    FailRead(file,
             record + " has size " + std::to_string(camera.width) + " x " +
                 std::to_string(camera.height));
  }
  for (const double param : camera.params) {
    if (!std::isfinite(param)) {
      FailRead(file, record + " has a parameter that is not a number");
    }
  }
  const ColmapCameraModel& kind = *FindColmapCameraModel(camera.model_id);
  if (camera.params[0] <= 0 || (!kind.single_focal && camera.params[1] <= 0)) {
    FailRead(file, record + " has a focal length that is not positive");
  }
  if (!model->cameras.emplace(id, std::move(camera)).second) {
    FailRead(file, record + " appears twice");
  }
}

void AddImage(uint32_t id,
              const Eigen::Vector4d& quaternion,
              ColmapImage image,
              const std::string& file,
              ColmapModel* model) {
  const std::string record = "image " + std::to_string(id);
  if (image.name.empty()) FailRead(file, record + " has no name");
  const double norm = quaternion.norm();
  if (!std::isfinite(norm) || norm < 1e-6 ||
      !image.camera_from_world.translation.allFinite()) {
    FailRead(file, record + " ('" + image.name + "') has no valid pose");
  }
  const Eigen::Vector4d q = quaternion / norm;
  image.camera_from_world.rotation =
      Eigen::Quaterniond(q[0], q[1], q[2], q[3]).toRotationMatrix();
  for (const ColmapImage::Observation& observation : image.observations) {
    if (!observation.xy.allFinite()) {
      FailRead(file,
               record + " ('" + image.name +
                   "') has an observation that is not a number");
    }
  }
  if (!model->images.emplace(id, std::move(image)).second) {
    FailRead(file, record + " appears twice");
  }
}

void AddPoint(uint64_t id,
              ColmapPoint point,
              const std::string& file,
              ColmapModel* model) {
  const std::string record = "point " + std::to_string(id);
  if (!point.xyz.allFinite() || !std::isfinite(point.error)) {
    FailRead(file, record + " has a value that is not a number");
  }
  if (!model->points.emplace(id, std::move(point)).second) {
    FailRead(file, record + " appears twice");
  }
}

}  // namespace colmap_files

namespace {

using colmap_files::FailRead;

bool Exists(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

// ".bin" when both required files have it, else ".txt".
std::string FindExtension(const std::filesystem::path& folder) {
  for (const char* extension : {".bin", ".txt"}) {
    if (Exists(folder / (std::string("cameras") + extension)) &&
        Exists(folder / (std::string("images") + extension))) {
      return extension;
    }
  }
  const bool has_cameras =
      Exists(folder / "cameras.bin") || Exists(folder / "cameras.txt");
  throw UserError(
      folder.string() + " holds no " + (has_cameras ? "images" : "cameras") +
          ".bin or .txt, so it is no complete COLMAP model",
      "give a folder with cameras, images and points3D in one format");
}

void CheckImages(const ColmapModel& model, const std::string& file) {
  std::set<std::string_view> names;
  for (const auto& [id, image] : model.images) {
    if (model.cameras.count(image.camera_id) == 0) {
      FailRead(file,
               "image '" + image.name + "' uses camera " +
                   std::to_string(image.camera_id) +
                   ", which the model does not have");
    }
    if (!names.insert(image.name).second) {
      FailRead(file, "two images are named '" + image.name + "'");
    }
  }
}

void CheckTracks(const ColmapModel& model, const std::string& file) {
  for (const auto& [id, point] : model.points) {
    for (const ColmapPoint::TrackElement& element : point.track) {
      const auto image = model.images.find(element.image_id);
      if (image == model.images.end() ||
          element.observation >= image->second.observations.size()) {
        FailRead(file,
                 "point " + std::to_string(id) + " was seen in image " +
                     std::to_string(element.image_id) + " as observation " +
                     std::to_string(element.observation) +
                     ", which the model does not have");
      }
    }
  }
}

Pinhole PinholeOf(const ColmapCamera& camera) {
  const ColmapCameraModel* kind = FindColmapCameraModel(camera.model_id);
  NERFPIPE_CHECK(kind != nullptr && !kind->distorted);
  const std::vector<double>& p = camera.params;
  const int width = static_cast<int>(camera.width);
  const int height = static_cast<int>(camera.height);
  if (kind->single_focal) return {width, height, p[0], p[0], p[1], p[2]};
  return {width, height, p[0], p[1], p[2], p[3]};
}

}  // namespace

ColmapModel ReadColmapModel(const std::filesystem::path& folder,
                            bool points_required) {
  const std::string extension = FindExtension(folder);
  const bool binary = extension == ".bin";
  const std::filesystem::path cameras = folder / ("cameras" + extension);
  const std::filesystem::path images = folder / ("images" + extension);
  const std::filesystem::path points = folder / ("points3D" + extension);

  ColmapModel model;
  using namespace colmap_files;
  (binary ? ParseCamerasBinary : ParseCamerasText)(
      ReadFile(cameras), cameras.string(), &model);
  (binary ? ParseImagesBinary : ParseImagesText)(
      ReadFile(images), images.string(), &model);
  CheckImages(model, images.string());
  if (points_required || Exists(points)) {
    (binary ? ParsePointsBinary : ParsePointsText)(
        ReadFile(points), points.string(), &model);
    CheckTracks(model, points.string());
  }
  return model;
}

double MeanReprojectionError(const ColmapModel& model) {
  double sum = 0;
  int64_t count = 0;
  for (const auto& [id, point] : model.points) {
    for (const ColmapPoint::TrackElement& element : point.track) {
      const ColmapImage& image = model.images.at(element.image_id);
      const Pinhole pinhole = PinholeOf(model.cameras.at(image.camera_id));
      const Eigen::Vector3d x_in_camera = image.camera_from_world * point.xyz;
      const Eigen::Vector2d& seen =
          image.observations.at(element.observation).xy;
      ++count;
      // A point behind the camera has no projection: it counts as far off.
      if (x_in_camera.z() <= 0) {
        sum += std::hypot(pinhole.width, pinhole.height);
        continue;
      }
      const Eigen::Vector2d projected(
          pinhole.fx * x_in_camera.x() / x_in_camera.z() + pinhole.cx,
          pinhole.fy * x_in_camera.y() / x_in_camera.z() + pinhole.cy);
      sum += (projected - seen).norm();
    }
  }
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

}  // namespace nerfpipe
