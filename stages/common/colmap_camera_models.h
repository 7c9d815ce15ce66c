#pragma once

// The camera models that COLMAP's files name by a number or a word. Source:
// COLMAP, src/colmap/sensor/models.h.

#include <string_view>

namespace nerfpipe {

struct ColmapCameraModel {
  int id;
  std::string_view name;
  int num_params;
  // Models with one focal length have params f, cx, cy, ...; the others fx, fy,
  // cx, cy, ...
  bool single_focal;
  bool distorted;
};

// nullptr when the model is not one of 0 to 10.
const ColmapCameraModel* FindColmapCameraModel(int id);
const ColmapCameraModel* FindColmapCameraModel(std::string_view name);

}  // namespace nerfpipe
