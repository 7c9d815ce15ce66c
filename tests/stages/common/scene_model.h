#pragma once

// The irregular scene as COLMAP would have found it: exact, with gaps in the
// identifiers, which run against the order of the names.

#include "stages/common/colmap_model.h"
#include "tests/scenes/irregular_scene.h"

#include <string>
#include <vector>

namespace nerfpipe {

// COLMAP axes.
inline Rigid3 WorldFromCamera(const SceneCamera& camera) {
  Rigid3 pose;
  for (int i = 0; i < 3; ++i) {
    for (int k = 0; k < 3; ++k) {
      pose.rotation(i, k) = camera.world_from_camera[4 * i + k];
    }
    pose.translation[i] = camera.world_from_camera[4 * i + 3];
  }
  return pose;
}

inline uint32_t SceneImageId(size_t index) {
  return static_cast<uint32_t>(1000 - 7 * index);
}

inline std::string SceneJpegName(size_t index) {
  const std::string name = SceneImageName(static_cast<int>(index));
  return name.substr(0, name.size() - 3) + "jpg";
}

// A PINHOLE camera for each image, or that of the first for all. Each point is
// seen wherever it lies before the camera, inside the picture or not; every
// camera has an observation of nothing before the others.
inline ColmapModel SceneModel(const std::vector<SceneCamera>& cameras,
                              bool one_lens) {
  ColmapModel model;
  const std::vector<SceneVector> points = ScenePoints();
  for (size_t k = 0; k < points.size(); ++k) {
    ColmapPoint& point = model.points[11 + 3 * k];
    point.xyz = {points[k][0], points[k][1], points[k][2]};
    point.error = 0.1 + 0.01 * static_cast<double>(k);
    point.rgb[0] = static_cast<uint8_t>(k);
    point.rgb[1] = static_cast<uint8_t>(255 - 2 * k);
    point.rgb[2] = static_cast<uint8_t>(40 + k * k % 200);
  }
  for (size_t i = 0; i < cameras.size(); ++i) {
    const SceneCamera& c = cameras[i];
    ColmapImage image;
    image.name = SceneJpegName(i);
    image.camera_id = static_cast<uint32_t>(one_lens ? 9 : 90 - 4 * i);
    if (!one_lens || i == 0) {
      model.cameras[image.camera_id] = {
          1, c.width, c.height, {c.fx, c.fy, c.cx, c.cy}};
    }
    image.camera_from_world = WorldFromCamera(c).Inverse();
    image.observations.push_back({{0.25, 0.75}, -1});
    for (size_t k = 0; k < points.size(); ++k) {
      const SceneVector seen = c.Project(points[k]);
      if (seen[2] <= 0) continue;
      model.points.at(11 + 3 * k)
          .track.push_back({SceneImageId(i),
                            static_cast<uint32_t>(image.observations.size())});
      image.observations.push_back(
          {{seen[0], seen[1]}, static_cast<int64_t>(11 + 3 * k)});
    }
    model.images[SceneImageId(i)] = image;
  }
  return model;
}

}  // namespace nerfpipe
