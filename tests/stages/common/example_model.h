#pragma once

// A small COLMAP model for the tests: two cameras, three images, four points,
// no two numbers alike.

#include "stages/common/colmap_model.h"

namespace nerfpipe {

inline ColmapModel ExampleModel() {
  ColmapModel model;
  model.cameras[7] = {1, 641, 479, {500.5, 512.25, 331.5, 236.75}};
  model.cameras[2] = {
      4, 67, 49, {50.5, 53.25, 30.5, 26.25, 0.1, -0.2, 1e-3, 1 / 3.0}};
  const std::string names[] = {"b.jpg", "with space.jpg", "\xe8\xbd\xa6.jpg"};
  const uint32_t ids[] = {9, 4, 100};
  for (int i = 0; i < 3; ++i) {
    ColmapImage image;
    image.name = names[i];
    image.camera_id = i == 1 ? 2 : 7;
    image.camera_from_world.rotation =
        Eigen::AngleAxisd(0.4 * i + 2.9, Eigen::Vector3d(1, i, -2).normalized())
            .toRotationMatrix();
    image.camera_from_world.translation = {0.1 * i, 1 / 3.0, 5e-9};
    for (int k = 0; k < 2 * i; ++k) {
      image.observations.push_back({{k + 0.25, 1 / (k + 3.0)}, k - 1});
    }
    model.images[ids[i]] = image;
  }
  for (int i = 0; i < 4; ++i) {
    ColmapPoint point;
    point.xyz = {i + 0.1, -1e30, 1 / 7.0};
    point.rgb[0] = static_cast<uint8_t>(250 + i);
    point.rgb[1] = static_cast<uint8_t>(7 + i);
    point.rgb[2] = static_cast<uint8_t>(128 + 3 * i);
    point.error = 0.3 * i;
    if (i < 3) point.track = {{100, static_cast<uint32_t>(i + 1)}};
    if (i == 0) point.track.push_back({4, 1});
    model.points[i == 3 ? 1ull << 40 : i] = point;
  }
  return model;
}

}  // namespace nerfpipe
