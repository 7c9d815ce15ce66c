#pragma once

// A scene with an exact answer: two balls coloured by their normals, seen from
// a ring of cameras, on transparent ground.

#include "stages/nerf/scene.h"
#include "stages/nerf/scene_frame.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include <torch/torch.h>

namespace nerfpipe::nerf {

using Vector3 = std::array<double, 3>;

inline double Dot(const Vector3& a, const Vector3& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

// A camera at angle `turn` (radians) on a ring of radius 3 round the z axis, at
// height 1, looking at the origin.
inline Camera RingCamera(double turn, int side) {
  const Vector3 centre = {3 * std::cos(turn), 3 * std::sin(turn), 1};
  const double length = std::sqrt(Dot(centre, centre));
  const Vector3 back = {
      centre[0] / length, centre[1] / length, centre[2] / length};
  const Vector3 right = {-std::sin(turn), std::cos(turn), 0};
  const Vector3 up = {back[1] * right[2] - back[2] * right[1],
                      back[2] * right[0] - back[0] * right[2],
                      back[0] * right[1] - back[1] * right[0]};
  Camera camera;
  camera.width = camera.height = side;
  camera.fx = camera.fy = 1.4 * side;
  camera.cx = camera.cy = 0.5 * side;
  for (int i = 0; i < 3; ++i) {
    camera.world_from_camera[4 * i] = right[i];
    camera.world_from_camera[4 * i + 1] = up[i];
    camera.world_from_camera[4 * i + 2] = back[i];
    camera.world_from_camera[4 * i + 3] = centre[i];
  }
  return camera;
}

// Colour and coverage (4 numbers, 0 or 1 the last) of the ray o + t d.
inline std::array<double, 4> TraceBalls(const Vector3& o, const Vector3& d) {
  static constexpr double kBalls[2][4] = {{0.35, 0, 0, 0.45},
                                          {-0.45, 0.1, 0.1, 0.3}};
  std::array<double, 4> colour = {0, 0, 0, 0};
  double nearest = 1e9;
  for (const auto& ball : kBalls) {
    const Vector3 v = {o[0] - ball[0], o[1] - ball[1], o[2] - ball[2]};
    const double a = Dot(d, d);
    const double b = Dot(v, d);
    const double root = b * b - a * (Dot(v, v) - ball[3] * ball[3]);
    const double t = root > 0 ? (-b - std::sqrt(root)) / a : -1;
    if (t > 0 && t < nearest) {
      nearest = t;
      for (int i = 0; i < 3; ++i) {
        colour[i] = 0.5 + 0.5 * (v[i] + t * d[i]) / ball[3];
      }
      colour[3] = 1;
    }
  }
  return colour;
}

inline View BallView(double turn, int side) {
  constexpr int kFine = 4;  // sub-pixels along a side
  View view;
  view.name = std::to_string(turn);
  view.camera = RingCamera(turn, side);
  view.image = torch::zeros({side, side, 4}, torch::kUInt8);
  const auto& pose = view.camera.world_from_camera;
  const Vector3 centre = {pose[3], pose[7], pose[11]};
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      std::array<double, 4> sum = {0, 0, 0, 0};
      for (int k = 0; k < kFine * kFine; ++k) {
        const double u =
            (x + (k % kFine + 0.5) / kFine - view.camera.cx) / view.camera.fx;
        const double v =
            (y + (k / kFine + 0.5) / kFine - view.camera.cy) / view.camera.fy;
        Vector3 direction;
        for (int i = 0; i < 3; ++i) {
          direction[i] =
              u * pose[4 * i] - v * pose[4 * i + 1] - pose[4 * i + 2];
        }
        const auto colour = TraceBalls(centre, direction);
        for (int c = 0; c < 4; ++c) {
          sum[c] += colour[c];
        }
      }
      for (int c = 0; c < 4; ++c) {
        const double whole = c < 3 ? std::max(1.0, sum[3]) : kFine * kFine;
        view.image[y][x][c] = static_cast<int>(255 * sum[c] / whole + 0.5);
      }
    }
  }
  return view;
}

// `views` training views and one held out between two of them.
inline Dataset BallDataset(int views, int side) {
  Dataset dataset;
  const double turn = 2 * M_PI / views;
  for (int i = 0; i < views; ++i) {
    dataset.train.push_back(BallView(turn * i, side));
  }
  dataset.test.push_back(BallView(turn * 0.5, side));
  dataset.has_box = true;
  dataset.box = {-1, -1, -1, 1, 1, 1};
  return dataset;
}

inline SceneFrame BallFrame() {
  SceneFrame frame;
  frame.bounded = true;
  frame.near = 1.5;
  frame.far = 5;
  frame.reason = "two balls in a box";
  return frame;
}

}  // namespace nerfpipe::nerf
