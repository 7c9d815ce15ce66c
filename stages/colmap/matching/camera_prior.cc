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

std::vector<int> GroupByLens(const std::vector<ImageLens>& images) {
  constexpr double kSame = 0.03;
  std::vector<ImageLens> groups;  // the first image of each
  const auto same_size = [](const ImageLens& a, const ImageLens& b) {
    return a.width == b.width && a.height == b.height;
  };
  const auto known_of_size = [&](const ImageLens& wanted) {
    std::vector<double> known;
    for (const ImageLens& image : images) {
      if (image.focal > 0 && same_size(image, wanted)) {
        known.push_back(image.focal);
      }
    }
    return known;
  };
  std::vector<int> of_image;
  for (ImageLens image : images) {
    if (image.focal == 0) {
      const std::vector<double> known = known_of_size(image);
      const auto [least, most] =
          std::minmax_element(known.begin(), known.end());
      if (!known.empty() && *most <= (1 + kSame) * *least) image.focal = *least;
    }
    const auto found =
        std::find_if(groups.begin(), groups.end(), [&](const ImageLens& group) {
          return same_size(group, image) &&
                 std::abs(image.focal - group.focal) <= kSame * group.focal;
        });
    of_image.push_back(static_cast<int>(found - groups.begin()));
    if (found == groups.end()) groups.push_back(image);
  }
  return of_image;
}

}  // namespace nerfpipe::sfm
