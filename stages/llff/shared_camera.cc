#include "stages/llff/shared_camera.h"

#include "pipeline/base/error.h"
#include "stages/common/colmap_camera_models.h"

#include <cmath>

namespace nerfpipe {
namespace {

constexpr double kTolerance = 1e-3;  // px

[[noreturn]] void Fail(const std::string& file, const std::string& what) {
  throw UserError(file + ": " + what,
                  "poses_bounds.npy knows one centred, undistorted camera "
                  "only, so run the colmap stage, which undistorts");
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

Pinhole SharedPinhole(const ColmapModel& model, const std::string& file) {
  if (model.images.empty()) Fail(file, "the model has no images");
  const ColmapImage& first = model.images.begin()->second;
  const Pinhole shared =
      CentredPinhole(first.camera_id, model.cameras.at(first.camera_id), file);
  for (const auto& [id, image] : model.images) {
    if (image.camera_id == first.camera_id) continue;
    const Pinhole other = CentredPinhole(
        image.camera_id, model.cameras.at(image.camera_id), file);
    if (other.width != shared.width || other.height != shared.height ||
        std::abs(other.fx - shared.fx) > kTolerance) {
      Fail(file,
           "images '" + first.name + "' and '" + image.name +
               "' have different cameras");
    }
  }
  return shared;
}

}  // namespace nerfpipe
