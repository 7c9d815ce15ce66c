#include "stages/llff/shared_camera.h"

#include "pipeline/base/error.h"
#include "stages/common/colmap_camera_models.h"

#include <cmath>

namespace nerfpipe {
namespace {

constexpr double kTolerance = 1e-3;  // px

[[noreturn]] void Fail(const std::string& file, const std::string& what) {
  throw UserError(file + ": " + what,
                  "poses_bounds.npy knows centred, undistorted cameras only, "
                  "so run the colmap stage, which undistorts");
}

Pinhole CentredPinhole(uint32_t id,
                       const ColmapCamera& camera,
                       const std::string& file) {
  const ColmapCameraModel* kind = FindColmapCameraModel(camera.model_id);
  NERFPIPE_CHECK(kind != nullptr);
  const std::string name = "camera " + std::to_string(id);
  if (kind->distorted) {
    Fail(file, name + " is a " + std::string(kind->name) + " camera");
  }
  Pinhole pinhole;
  pinhole.width = static_cast<int>(camera.width);
  pinhole.height = static_cast<int>(camera.height);
  const int shift = kind->single_focal ? 0 : 1;
  pinhole.fx = camera.params[0];
  pinhole.fy = camera.params[shift];
  pinhole.cx = camera.params[shift + 1];
  pinhole.cy = camera.params[shift + 2];
  if (std::abs(pinhole.fx - pinhole.fy) > kTolerance) {
    Fail(file, name + " has two different focal lengths");
  }
  if (std::abs(pinhole.cx - pinhole.width / 2.0) > kTolerance ||
      std::abs(pinhole.cy - pinhole.height / 2.0) > kTolerance) {
    Fail(file, name + " has its principal point off the middle");
  }
  return pinhole;
}

}  // namespace

Pinholes CentredPinholes(const ColmapModel& model, const std::string& file) {
  if (model.images.empty()) Fail(file, "the model has no images");
  Pinholes cameras;
  for (const auto& [id, image] : model.images) {
    if (cameras.contains(image.camera_id)) continue;
    cameras[image.camera_id] = CentredPinhole(
        image.camera_id, model.cameras.at(image.camera_id), file);
  }
  return cameras;
}

std::optional<Pinhole> SharedPinhole(const Pinholes& cameras) {
  const Pinhole& first = cameras.begin()->second;
  for (const auto& [id, camera] : cameras) {
    if (camera.width != first.width || camera.height != first.height ||
        std::abs(camera.fx - first.fx) > kTolerance) {
      return std::nullopt;
    }
  }
  return first;
}

}  // namespace nerfpipe
