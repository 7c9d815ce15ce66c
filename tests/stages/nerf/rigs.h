#pragma once

// Sets of cameras with known answers, for the tests of this folder.

#include "stages/nerf/camera_pose.h"

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace nerfpipe::nerf {

inline constexpr double kPi = 3.14159265358979323846;

inline View ViewFrom(const Pose& pose, int number) {
  View view;
  char name[16];
  std::snprintf(name, sizeof(name), "%05d.png", number);
  view.name = name;
  // No two are alike.
  const int k = number % 7;
  view.camera.width = 81 + 2 * k;
  view.camera.height = 61 + 4 * k;
  view.camera.fx = 70.5 + k;
  view.camera.fy = 64.25 + 3 * k;
  view.camera.cx = 38.5 + 1.5 * k;
  view.camera.cy = 32.75 - 0.5 * k;
  SetPose(pose, &view.camera);
  return view;
}

// Cameras round `focus`, up along `up`, `radius` from the axis and `height`
// above the focus, over `degrees` of arc starting at the `first` axis.
inline Dataset Orbit(int count,
                     const Vec3& focus,
                     const Vec3& up,
                     double radius,
                     double height,
                     double degrees = 360) {
  const Pose axes = LookAlong({}, up, {0.3, 0.8, 0.1});
  Dataset dataset;
  for (int i = 0; i < count; ++i) {
    const double parts = degrees >= 360 ? count : count - 1;
    const double angle = degrees * kPi / 180 * i / parts;
    const Vec3 offset = (radius * std::cos(angle)) * axes.right +
                        (radius * std::sin(angle)) * axes.up +
                        height * axes.back;
    dataset.train.push_back(ViewFrom(LookAlong(focus + offset, offset, up), i));
  }
  return dataset;
}

// A grid of cameras in the plane z = 0 that look along -z; depths 4 to 40.
inline Dataset Grid() {
  Dataset dataset;
  for (int i = 0; i < 20; ++i) {
    const Vec3 centre = {0.3 * (i % 5 - 2), 0.3 * (i / 5 - 1.5), 0};
    dataset.train.push_back(
        ViewFrom({{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, centre}, i));
    dataset.train.back().near = 4;
    dataset.train.back().far = 40;
  }
  return dataset;
}

// A way along x with a slow bend, looking ahead and round.
inline Dataset Walk() {
  Dataset dataset;
  for (int i = 0; i < 30; ++i) {
    const Vec3 centre = {0.5 * i, 1.6, 2 * std::sin(0.1 * i)};
    const double turn = 0.8 * std::sin(0.35 * i);
    const Vec3 ahead = {std::cos(turn), 0, std::sin(turn)};
    dataset.train.push_back(ViewFrom(LookAlong(centre, -ahead, {0, 1, 0}), i));
  }
  return dataset;
}

inline Vec3 ToNormalised(const SceneFrame& frame, const Vec3& x) {
  const auto& m = frame.normalised_from_world;
  return {m[0] * x.x + m[1] * x.y + m[2] * x.z + m[3],
          m[4] * x.x + m[5] * x.y + m[6] * x.z + m[7],
          m[8] * x.x + m[9] * x.y + m[10] * x.z + m[11]};
}

inline void ExpectNear(const Vec3& a, const Vec3& b, double tolerance) {
  EXPECT_LT(Norm(a - b), tolerance)
      << a.x << " " << a.y << " " << a.z << " instead of " << b.x << " " << b.y
      << " " << b.z;
}

}  // namespace nerfpipe::nerf
