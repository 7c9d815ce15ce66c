#pragma once

// The balls of the irregular scene before nothing, as a data set with an exact
// answer.

#include "stages/nerf/scene.h"
#include "stages/nerf/scene_frame.h"
#include "stages/nerf/tensors.h"
#include "tests/scenes/irregular_scene.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

namespace nerfpipe::nerf {

inline constexpr int kHeldOutView = 2;

// Those of irregular_scene.cc: centre and radius.
inline constexpr double kBalls[2][4] = {{0.31, -0.07, 0.42, 0.47},
                                        {-0.52, 0.24, 0.18, 0.29}};

// With OpenGL's axes in place of COLMAP's.
inline Camera CameraOf(const SceneCamera& scene) {
  Camera camera;
  camera.width = scene.width;
  camera.height = scene.height;
  camera.fx = scene.fx;
  camera.fy = scene.fy;
  camera.cx = scene.cx;
  camera.cy = scene.cy;
  camera.world_from_camera = scene.world_from_camera;
  for (int row = 0; row < 3; ++row) {
    camera.world_from_camera[4 * row + 1] *= -1;
    camera.world_from_camera[4 * row + 2] *= -1;
  }
  return camera;
}

// What a camera sees of the balls, and nothing behind them (RGBA).
inline View BallView(int number) {
  const SceneCamera scene = IrregularCameras()[number];
  const std::vector<uint8_t> pixels =
      ScenePicture(scene, /*objects_alone=*/true);
  View view;
  view.name = SceneImageName(number);
  view.camera = CameraOf(scene);
  view.image = torch::tensor(torch::ArrayRef<uint8_t>(pixels), torch::kUInt8)
                   .view({scene.height, scene.width, 4});
  return view;
}

// Nine views or, with the one that is far away, ten; another is held out.
inline Dataset BallDataset(bool with_far_view = false) {
  Dataset dataset;
  for (int i = 0; i < kSceneCameras; ++i) {
    if (i == kFarAwayView && !with_far_view) continue;
    (i == kHeldOutView ? dataset.test : dataset.train).push_back(BallView(i));
  }
  dataset.has_box = true;
  dataset.box = {-1, -1, -1, 1, 1, 1};
  return dataset;
}

// Turned about the vertical, moved and made smaller. `far` reaches past the
// balls from all cameras but the far one.
inline SceneFrame BallFrame() {
  SceneFrame frame;
  frame.scale = 0.9;
  const double c = 0.9 * std::cos(0.3), s = 0.9 * std::sin(0.3);
  frame.normalised_from_world = {
      c, -s, 0, 0.03, s, c, 0, -0.04, 0, 0, 0.9, -0.15};
  frame.bounded = true;
  frame.near = 1;
  frame.far = 4;
  frame.reason = "two balls in a box";
  return frame;
}

inline std::array<double, 3> InFrame(const SceneFrame& frame,
                                     const std::array<double, 3>& world) {
  std::array<double, 3> x;
  for (int i = 0; i < 3; ++i) {
    const double* row = frame.normalised_from_world.data() + 4 * i;
    x[i] = row[0] * world[0] + row[1] * world[1] + row[2] * world[2] + row[3];
  }
  return x;
}

// A ray of the world through the middle of a pixel, of length 1 along the
// optical axis.
struct WorldRay {
  std::array<double, 3> origin;
  std::array<double, 3> direction;

  std::array<double, 3> At(double depth) const {
    return {origin[0] + depth * direction[0],
            origin[1] + depth * direction[1],
            origin[2] + depth * direction[2]};
  }
};

inline WorldRay RayThrough(const Camera& camera, int64_t x, int64_t y) {
  const double u = (static_cast<double>(x) + 0.5 - camera.cx) / camera.fx;
  const double v = (static_cast<double>(y) + 0.5 - camera.cy) / camera.fy;
  const auto& m = camera.world_from_camera;
  WorldRay ray;
  for (int i = 0; i < 3; ++i) {
    ray.origin[i] = m[4 * i + 3];
    ray.direction[i] = u * m[4 * i] - v * m[4 * i + 1] - m[4 * i + 2];
  }
  return ray;
}

// Depth at which it meets the ball; the caller knows that it does.
inline double DepthOfBall(const WorldRay& ray, const double (&ball)[4]) {
  double a = 0, b = 0, c = -ball[3] * ball[3];
  for (int i = 0; i < 3; ++i) {
    const double from = ray.origin[i] - ball[i];
    a += ray.direction[i] * ray.direction[i];
    b += ray.direction[i] * from;
    c += from * from;
  }
  return (-b - std::sqrt(b * b - a * c)) / a;
}

}  // namespace nerfpipe::nerf
