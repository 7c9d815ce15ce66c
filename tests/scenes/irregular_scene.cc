#include "tests/scenes/irregular_scene.h"

#include <algorithm>
#include <cmath>

namespace nerfpipe {
namespace {

double Dot(const SceneVector& a, const SceneVector& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

SceneVector Cross(const SceneVector& a, const SceneVector& b) {
  return {a[1] * b[2] - a[2] * b[1],
          a[2] * b[0] - a[0] * b[2],
          a[0] * b[1] - a[1] * b[0]};
}

SceneVector Unit(const SceneVector& v) {
  const double length = std::sqrt(Dot(v, v));
  return {v[0] / length, v[1] / length, v[2] / length};
}

SceneVector Along(const SceneVector& o, double t, const SceneVector& d) {
  return {o[0] + t * d[0], o[1] + t * d[1], o[2] + t * d[2]};
}

struct Ball {
  SceneVector centre;
  double radius;
};

// Neither is in the middle, and they do not touch the ground alike.
constexpr Ball kBalls[] = {{{0.31, -0.07, 0.42}, 0.47},
                           {{-0.52, 0.24, 0.18}, 0.29}};
constexpr double kGround = -0.13;  // height
constexpr double kGroundReach = 6;

// Looks at `target`, then turned about its axis by `roll` radians.
void Place(const SceneVector& centre,
           const SceneVector& target,
           double roll,
           SceneCamera* camera) {
  const SceneVector forward = Unit(
      {target[0] - centre[0], target[1] - centre[1], target[2] - centre[2]});
  const SceneVector level = Unit(Cross(forward, {0, 0, 1}));
  const SceneVector below = Cross(forward, level);
  for (int i = 0; i < 3; ++i) {
    camera->world_from_camera[4 * i] =
        std::cos(roll) * level[i] + std::sin(roll) * below[i];
    camera->world_from_camera[4 * i + 1] =
        std::cos(roll) * below[i] - std::sin(roll) * level[i];
    camera->world_from_camera[4 * i + 2] = forward[i];
    camera->world_from_camera[4 * i + 3] = centre[i];
  }
}

}  // namespace

SceneVector SceneCamera::Project(const SceneVector& point) const {
  SceneVector seen = {0, 0, 0};
  for (int i = 0; i < 3; ++i) {
    for (int k = 0; k < 3; ++k) {
      seen[k] += world_from_camera[4 * i + k] *
                 (point[i] - world_from_camera[4 * i + 3]);
    }
  }
  return {fx * seen[0] / seen[2] + cx, fy * seen[1] / seen[2] + cy, seen[2]};
}

std::vector<SceneCamera> IrregularCameras() {
  std::vector<SceneCamera> cameras = OneLensCameras();
  for (int i = 0; i < kSceneCameras; ++i) {
    SceneCamera& camera = cameras[i];
    camera.width = 43 + 6 * i;
    camera.height = 59 - 2 * i;
    camera.fx = 51.3 + 5.1 * i;
    camera.fy = 48.7 + 6.3 * i;
    camera.cx = 0.5 * camera.width + 1.7 - 0.4 * i;
    camera.cy = 0.5 * camera.height - 2.3 + 0.3 * i;
  }
  return cameras;
}

std::vector<SceneCamera> OneLensCameras() {
  std::vector<SceneCamera> cameras(kSceneCameras);
  for (int i = 0; i < kSceneCameras; ++i) {
    SceneCamera& camera = cameras[i];
    camera.width = 53;
    camera.height = 37;
    camera.fx = 57.4;
    camera.fy = 49.8;
    camera.cx = 28.3;
    camera.cy = 16.9;
    const double angle = 0.45 * i + 0.17 * std::sin(2.3 * i);
    const double radius =
        (2.6 + 0.35 * std::sin(1.9 * i)) * (i == kFarAwayView ? 8 : 1);
    const double height = 0.9 + 0.5 * std::sin(3.1 * i + 0.4);
    Place({radius * std::cos(angle), radius * std::sin(angle), height},
          {0.05 * std::sin(5.0 * i), -0.08, 0.2},
          0.12 * std::sin(4.7 * i),
          &camera);
  }
  return cameras;
}

std::string SceneImageName(int index) {
  return "IMG " + std::to_string(index + 5) + ".png";
}

std::vector<SceneVector> ScenePoints() {
  std::vector<SceneVector> points;
  for (int i = 0; i < 47; ++i) {
    const Ball& ball = kBalls[i % 2];
    const double turn = 2.39996 * i;  // the golden angle
    const double z = -0.3 + 1.25 * i / 47;
    const double r = std::sqrt(1 - z * z);
    points.push_back(Along(
        ball.centre, ball.radius, {r * std::cos(turn), r * std::sin(turn), z}));
  }
  for (int i = 0; i < 12; ++i) {
    points.push_back(
        {1.4 * std::sin(1.7 * i), 1.1 * std::cos(2.9 * i), kGround});
  }
  points.push_back({310, -170, 95});
  return points;
}

std::array<double, 4> TraceScene(const SceneVector& origin,
                                 const SceneVector& direction,
                                 bool objects_alone) {
  std::array<double, 4> colour = {0, 0, 0, 0};
  double nearest = 1e9;
  for (const Ball& ball : kBalls) {
    const SceneVector v = Along(origin, -1, ball.centre);
    const double a = Dot(direction, direction);
    const double b = Dot(v, direction);
    const double root = b * b - a * (Dot(v, v) - ball.radius * ball.radius);
    const double t = root > 0 ? (-b - std::sqrt(root)) / a : -1;
    if (t <= 0 || t >= nearest) continue;
    nearest = t;
    const SceneVector hit = Along(v, t, direction);
    for (int i = 0; i < 3; ++i) {
      colour[i] = 0.5 + 0.5 * hit[i] / ball.radius;
    }
    colour[3] = 1;
  }
  if (objects_alone) return colour;
  const double t = (kGround - origin[2]) / direction[2];
  const SceneVector hit = Along(origin, t, direction);
  if (t > 0 && t < nearest && Dot(hit, hit) < kGroundReach * kGroundReach) {
    // Waves of unlike lengths: no two places look alike, nor mirrored ones.
    return {0.5 + 0.3 * std::sin(2.1 * hit[0]) + 0.2 * std::sin(7 * hit[1]),
            0.5 + 0.4 * std::sin(1.3 * hit[1] + 0.7 * hit[0]),
            0.45 + 0.25 * std::cos(3.7 * hit[0] - 1.1 * hit[1]),
            1};
  }
  if (colour[3] == 0) return {0.62, 0.74, 0.91, 1};  // sky
  return colour;
}

std::vector<uint8_t> ScenePicture(const SceneCamera& camera,
                                  bool objects_alone) {
  constexpr int kFine = 4;  // rays along a side of a pixel
  const auto& pose = camera.world_from_camera;
  const SceneVector centre = {pose[3], pose[7], pose[11]};
  std::vector<uint8_t> pixels;
  for (int y = 0; y < camera.height; ++y) {
    for (int x = 0; x < camera.width; ++x) {
      std::array<double, 4> sum = {0, 0, 0, 0};
      for (int k = 0; k < kFine * kFine; ++k) {
        const double u =
            (x + (k % kFine + 0.5) / kFine - camera.cx) / camera.fx;
        const double v =
            (y + (k / kFine + 0.5) / kFine - camera.cy) / camera.fy;
        SceneVector direction;
        for (int i = 0; i < 3; ++i) {
          direction[i] =
              u * pose[4 * i] + v * pose[4 * i + 1] + pose[4 * i + 2];
        }
        const auto colour = TraceScene(centre, direction, objects_alone);
        for (int c = 0; c < 4; ++c) sum[c] += colour[c];
      }
      for (int c = 0; c < 4; ++c) {
        const double whole = c < 3 ? std::max(1.0, sum[3]) : kFine * kFine;
        pixels.push_back(static_cast<uint8_t>(255 * sum[c] / whole + 0.5));
      }
    }
  }
  return pixels;
}

}  // namespace nerfpipe
