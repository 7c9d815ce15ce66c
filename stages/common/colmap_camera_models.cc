#include "stages/common/colmap_camera_models.h"

#include <algorithm>
#include <array>

namespace nerfpipe {
namespace {

constexpr std::array<ColmapCameraModel, 11> kModels = {{
    {0, "SIMPLE_PINHOLE", 3, true, false},
    {1, "PINHOLE", 4, false, false},
    {2, "SIMPLE_RADIAL", 4, true, true},
    {3, "RADIAL", 5, true, true},
    {4, "OPENCV", 8, false, true},
    {5, "OPENCV_FISHEYE", 8, false, true},
    {6, "FULL_OPENCV", 12, false, true},
    {7, "FOV", 5, false, true},
    {8, "SIMPLE_RADIAL_FISHEYE", 4, true, true},
    {9, "RADIAL_FISHEYE", 5, true, true},
    {10, "THIN_PRISM_FISHEYE", 12, false, true},
}};

template <typename Matches>
const ColmapCameraModel* Find(Matches matches) {
  const auto found = std::find_if(kModels.begin(), kModels.end(), matches);
  return found == kModels.end() ? nullptr : &*found;
}

}  // namespace

const ColmapCameraModel* FindColmapCameraModel(int id) {
  return Find([&](const ColmapCameraModel& model) { return model.id == id; });
}

const ColmapCameraModel* FindColmapCameraModel(std::string_view name) {
  return Find(
      [&](const ColmapCameraModel& model) { return model.name == name; });
}

}  // namespace nerfpipe
