// nerf_synthetic folders (nerf-pytorch, load_blender.py).

#include "pipeline/base/error.h"
#include "stages/media/image_file.h"
#include "stages/nerf/data/json_file.h"
#include "stages/nerf/data/posed_image.h"

#include <algorithm>
#include <cmath>

namespace nerfpipe::nerf {
namespace {

namespace fs = std::filesystem;

// Bounds and extent that every scene of the set keeps to.
constexpr double kNear = 2;
constexpr double kFar = 6;
constexpr double kHalfBox = 1.5;

std::vector<PosedImage> ReadSplit(const fs::path& file, int factor) {
  const nlohmann::json root = ReadCameraJson(file);
  const std::optional<double> angle = NumberIn(root, "camera_angle_x", file);
  if (!angle || !(*angle > 0 && *angle < 3.1)) {
    throw UserError(file.string() +
                        ": \"camera_angle_x\" is missing or not "
                        "an angle in radians",
                    "write the file again with the tool that made it");
  }
  std::vector<PosedImage> images;
  ImageSize size;
  for (const nlohmann::json& frame : root["frames"]) {
    PosedImage image;
    image.name = FilePathOf(frame, file);
    image.file =
        (file.parent_path() / (image.name + ".png")).lexically_normal();
    image.name = image.file.lexically_relative(file.parent_path()).string();
    image.shrink = factor;
    image.near = kNear;
    image.far = kFar;
    if (images.empty()) {  // all images of the set have one size
      size = ReadImageSize(image.file);
    }
    const double focal = 0.5 * size.width / std::tan(0.5 * *angle);
    image.camera = MakeCamera(PoseOfFrame(frame, file),
                              {size.width,
                               size.height,
                               focal,
                               focal,
                               size.width / 2.0,
                               size.height / 2.0});
    images.push_back(std::move(image));
  }
  std::stable_sort(
      images.begin(),
      images.end(),
      [](const PosedImage& a, const PosedImage& b) { return a.name < b.name; });
  return images;
}

}  // namespace

PosedImages ReadSynthetic(const fs::path& folder, int factor) {
  PosedImages result;
  result.train = ReadSplit(folder / "transforms_train.json", factor);
  for (const char* name : {"transforms_test.json", "transforms_val.json"}) {
    if (fs::is_regular_file(folder / name)) {
      result.test = ReadSplit(folder / name, factor);
      break;
    }
  }
  result.has_box = true;
  result.box = {-kHalfBox, -kHalfBox, -kHalfBox, kHalfBox, kHalfBox, kHalfBox};
  return result;
}

}  // namespace nerfpipe::nerf
