#include "stages/colmap/matching/camera_prior.h"

#include <algorithm>
#include <cmath>

#include <colmap/scene/camera.h>
#include <colmap/sensor/bitmap.h>

namespace nerfpipe::sfm {

CameraPrior MakeCameraPrior(const std::string& model,
                            int width,
                            int height,
                            double focal,
                            const std::vector<std::filesystem::path>& photos) {
  CameraPrior prior;
  prior.focal_is_known = focal > 0;
  double pixels = focal > 0 ? focal * std::hypot(width, height)
                            : 1.2 * std::max(width, height);
  // One file is enough as a rule; a few more in case an edited one comes
  // first.
  constexpr size_t kMaxFiles = 5;
  for (size_t i = 0; i < std::min(photos.size(), kMaxFiles); ++i) {
    colmap::Bitmap bitmap;
    if (bitmap.Read(photos[i].string(), /*as_rgb=*/false) &&
        bitmap.ExifFocalLength(&pixels)) {
      prior.focal_is_known = true;
      break;
    }
  }
  const colmap::Camera camera = colmap::Camera::CreateFromModelName(
      /*camera_id=*/1, model, pixels, width, height);
  prior.camera.model_id = static_cast<int>(camera.model_id);
  prior.camera.width = width;
  prior.camera.height = height;
  prior.camera.params = camera.params;
  return prior;
}

}  // namespace nerfpipe::sfm
