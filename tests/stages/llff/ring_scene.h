#pragma once

// A folder as the colmap stage leaves it: cameras on a ring round a cloud of
// points, every point seen by every camera, exact observations, plain images.

#include "stages/common/colmap_model.h"
#include "stages/media/image_file.h"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>

namespace nerfpipe {

inline constexpr int kRingWidth = 64;
inline constexpr int kRingHeight = 48;
inline constexpr double kRingFocal = 60;
inline constexpr int kRingPoints = 60;

// Cameras stand `radius` from the origin, spread over `arc` radians.
inline ColmapModel RingModel(int cameras, double radius = 5, double arc = 6) {
  ColmapModel model;
  model.cameras[1] = {
      1,
      kRingWidth,
      kRingHeight,
      {kRingFocal, kRingFocal, kRingWidth / 2.0, kRingHeight / 2.0}};
  for (int k = 0; k < kRingPoints; ++k) {
    ColmapPoint point;
    point.xyz = {std::sin(2.1 * k), 0.8 * std::cos(1.3 * k), std::sin(3.7 * k)};
    point.error = 0.4;
    model.points[5 + 2 * k] = point;
  }
  for (int i = 0; i < cameras; ++i) {
    char name[16];
    std::snprintf(name, sizeof(name), "%05d.jpg", i + 1);
    ColmapImage image;
    image.name = name;
    image.camera_id = 1;
    const double angle = arc * i / cameras;
    Rigid3 world_from_camera;
    world_from_camera.translation = {
        radius * std::sin(angle), 0.5, -radius * std::cos(angle)};
    const Eigen::Vector3d z = -world_from_camera.translation.normalized();
    const Eigen::Vector3d x = Eigen::Vector3d::UnitY().cross(z).normalized();
    world_from_camera.rotation << x, z.cross(x), z;
    image.camera_from_world = world_from_camera.Inverse();
    // Identifiers run against the order of the names.
    const uint32_t id = 1000 - 7 * i;
    for (auto& [point_id, point] : model.points) {
      const Eigen::Vector3d seen = image.camera_from_world * point.xyz;
      point.track.push_back(
          {id, static_cast<uint32_t>(image.observations.size())});
      image.observations.push_back(
          {{kRingFocal * seen.x() / seen.z() + kRingWidth / 2.0,
            kRingFocal * seen.y() / seen.z() + kRingHeight / 2.0},
           static_cast<int64_t>(point_id)});
    }
    model.images[id] = image;
  }
  return model;
}

// sparse/0 and images/ in `workspace`.
inline void WriteRingScene(const ColmapModel& model,
                           const std::filesystem::path& workspace) {
  std::filesystem::create_directories(workspace / "images");
  WriteColmapModel(model, workspace / "sparse" / "0");
  int shade = 0;
  for (const auto& [id, image] : model.images) {
    Image pixels(kRingWidth, kRingHeight, 3);
    for (size_t i = 0; i < pixels.pixels.size(); ++i) {
      pixels.pixels[i] = static_cast<uint8_t>(i / 3 % kRingWidth + shade);
    }
    shade += 5;
    WriteImage(pixels, workspace / "images" / image.name);
  }
}

}  // namespace nerfpipe
