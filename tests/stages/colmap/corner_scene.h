#pragma once

// A synthetic capture: the corner of a room with speckled walls, seen from
// cameras on an arc.

#include "stages/common/camera.h"
#include "stages/common/image.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace nerfpipe::sfm {

// Sides that divide by nothing, pixels that are not square, and a principal
// point off the middle.
inline Pinhole CornerCamera() { return {321, 239, 284, 271, 162.2, 118.4}; }

// world_from_camera, COLMAP axes. The corner is at the origin, the room in the
// octant of positive coordinates, y up.
inline Rigid3 CornerPose(int i, int count) {
  const double angle = 0.35 + 0.9 * i / (count - 1);
  const Eigen::Vector3d centre(
      4 * std::cos(angle), 1.6 + 0.3 * std::sin(1.7 * i), 4 * std::sin(angle));
  const Eigen::Vector3d forward =
      (Eigen::Vector3d(0.3, 0.5, 0.3) - centre).normalized();
  const Eigen::Vector3d right =
      forward.cross(Eigen::Vector3d::UnitY()).normalized();
  Rigid3 pose;
  pose.rotation.col(0) = right;
  pose.rotation.col(1) = forward.cross(right);
  pose.rotation.col(2) = forward;
  pose.translation = centre;
  return pose;
}

inline double LatticeValue(int wall, int octave, int64_t i, int64_t j) {
  uint64_t h = static_cast<uint64_t>(i) * 0x9e3779b97f4a7c15u ^
               static_cast<uint64_t>(j) * 0xc2b2ae3d27d4eb4fu ^
               static_cast<uint64_t>(wall * 16 + octave) * 0x165667b19e3779f9u;
  h = (h ^ (h >> 31)) * 0xbf58476d1ce4e5b9u;
  return static_cast<double>((h ^ (h >> 29)) >> 40) / (1 << 24);
}

// Smooth noise of several sizes, 0 to 1.
inline double Speckle(int wall, double u, double v) {
  double sum = 0;
  double weight = 0.5;
  for (int octave = 0; octave < 4; ++octave, weight *= 0.8) {
    const double scale = 6 << octave;
    const double x = u * scale, y = v * scale;
    const auto i = static_cast<int64_t>(std::floor(x));
    const auto j = static_cast<int64_t>(std::floor(y));
    const double a = x - i, b = y - j;
    sum += weight * ((1 - b) * ((1 - a) * LatticeValue(wall, octave, i, j) +
                                a * LatticeValue(wall, octave, i + 1, j)) +
                     b * ((1 - a) * LatticeValue(wall, octave, i, j + 1) +
                          a * LatticeValue(wall, octave, i + 1, j + 1)) -
                     0.5);
  }
  return std::clamp(0.5 + sum, 0.0, 1.0);
}

inline Image RenderCorner(const Rigid3& world_from_camera) {
  const Pinhole camera = CornerCamera();
  Image image(camera.width, camera.height, 3);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const Eigen::Vector3d ray =
          world_from_camera.rotation *
          Eigen::Vector3d((x + 0.5 - camera.cx) / camera.fx,
                          (y + 0.5 - camera.cy) / camera.fy,
                          1);
      const Eigen::Vector3d& eye = world_from_camera.translation;
      int wall = -1;
      double nearest = 1e9;
      for (int k = 0; k < 3; ++k) {
        const double t = -eye[k] / ray[k];
        if (t > 0 && t < nearest) {
          nearest = t;
          wall = k;
        }
      }
      const Eigen::Vector3d hit = eye + nearest * ray;
      const double value =
          wall < 0 ? 0.5
                   : Speckle(wall, hit[(wall + 1) % 3], hit[(wall + 2) % 3]);
      std::fill_n(image.At(x, y), 3, static_cast<uint8_t>(255 * value + 0.5));
    }
  }
  return image;
}

}  // namespace nerfpipe::sfm
