// A textured box and spheres in a textured room: nothing but a handful of
// intersections and smooth noise, and no light, so that colours depend on the
// point alone.

#include "data/demo/demo_scene.h"

#include <cmath>
#include <numbers>

namespace nerfpipe::demo {
namespace {

constexpr double kHalfRoom = 4;
constexpr double kHeight = 4;
// The box stands on the floor in the middle.
constexpr Vec3 kBoxLow = {-0.6, -0.45, 0};
constexpr Vec3 kBoxHigh = {0.6, 0.45, 0.8};

struct Ball {
  Vec3 centre;
  double radius;
};
constexpr Ball kBalls[3] = {{{0.1, 0.05, 1.15}, 0.35},
                            {{0.95, -0.7, 0.4}, 0.4},
                            {{-0.9, 0.85, 0.3}, 0.3}};

enum TestPart { kWalls, kFloor, kBox, kFirstBall };

// Where the ray enters and leaves a box.
struct Slab {
  double enter = -1e30;
  double leave = 1e30;
};

Slab SlabOf(const Ray& ray, Vec3 low, Vec3 high) {
  Slab slab;
  const auto clip = [&slab](double o, double d, double a, double b) {
    if (d == 0) {
      if (o < a || o > b) slab.leave = -1e30;
      return;
    }
    const double t0 = (a - o) / d;
    const double t1 = (b - o) / d;
    slab.enter = std::max(slab.enter, std::min(t0, t1));
    slab.leave = std::min(slab.leave, std::max(t0, t1));
  };
  clip(ray.origin.x, ray.direction.x, low.x, high.x);
  clip(ray.origin.y, ray.direction.y, low.y, high.y);
  clip(ray.origin.z, ray.direction.z, low.z, high.z);
  return slab;
}

// Distance along the ray to the near side of a ball, or a negative number.
double BallDistance(const Ray& ray, const Ball& ball) {
  const Vec3 o = ray.origin - ball.centre;
  const double a = Dot(ray.direction, ray.direction);
  const double b = Dot(o, ray.direction);
  const double c = Dot(o, o) - ball.radius * ball.radius;
  const double root = b * b - a * c;
  return root < 0 ? -1 : (-b - std::sqrt(root)) / a;
}

// Two base colours mixed by a coarse noise, with a finer one on top that fades
// where it would be finer than `width`.
Vec3 Blotches(Vec3 p, Vec3 a, Vec3 b, double size, double width, int seed) {
  const double coarse = SmoothStep(0.35, 0.65, Noise(p * (1 / size), seed));
  const double fine = Noise(p * (3.1 / size), seed + 1) - 0.5;
  const double fade = 1 - SmoothStep(0.15 * size, 0.4 * size, width);
  return Mix(a, b, Mix(0.5, coarse, 0.3 + 0.7 * fade)) *
         (1 + 0.9 * fade * fine);
}

class TestScene : public DemoScene {
 public:
  Hit Trace(const Ray& ray) const override {
    const Slab room = SlabOf(
        ray, {-kHalfRoom, -kHalfRoom, 0}, {kHalfRoom, kHalfRoom, kHeight});
    const double z = ray.origin.z + ray.direction.z * room.leave;
    Hit hit{room.leave, z < 1e-6 ? kFloor : kWalls};
    const Slab box = SlabOf(ray, kBoxLow, kBoxHigh);
    if (box.enter > 0 && box.enter < std::min(box.leave, hit.distance)) {
      hit = {box.enter, kBox};
    }
    for (int i = 0; i < 3; ++i) {
      const double t = BallDistance(ray, kBalls[i]);
      if (t > 0 && t < hit.distance) hit = {t, kFirstBall + i};
    }
    return hit;
  }

  Vec3 Shade(const Ray& ray, const Hit& hit, double spread) const override {
    const Vec3 p = ray.origin + ray.direction * hit.distance;
    const double width = Length(ray.direction) * hit.distance * spread;
    switch (hit.part) {
      case kWalls:
        return Blotches(
            p, {0.10, 0.16, 0.30}, {0.45, 0.40, 0.28}, 0.7, width, 501);
      case kFloor:
        return Blotches(
            p, {0.08, 0.22, 0.09}, {0.42, 0.38, 0.20}, 0.35, width, 511);
      case kBox:
        return Blotches(
            p, {0.45, 0.12, 0.06}, {0.42, 0.36, 0.10}, 0.22, width, 521);
      case kFirstBall:
        return {0.05, 0.2, 0.4};  // plain, for exact answers
      case kFirstBall + 1:
        return Blotches(
            p, {0.05, 0.12, 0.40}, {0.48, 0.48, 0.46}, 0.18, width, 531);
      default:
        return Blotches(
            p, {0.30, 0.05, 0.25}, {0.48, 0.30, 0.05}, 0.15, width, 541);
    }
  }
};

}  // namespace

std::unique_ptr<DemoScene> MakeTestScene() {
  return std::make_unique<TestScene>();
}

std::vector<DemoCamera> TestOrbit(int count, int width, int height) {
  std::vector<DemoCamera> cameras;
  for (int i = 0; i < count; ++i) {
    const double turn = 2 * std::numbers::pi * i / count;
    const Vec3 centre{2.8 * std::cos(turn),
                      2.8 * std::sin(turn),
                      1.5 + 0.3 * std::sin(3 * turn + 0.5)};
    cameras.push_back(
        DemoCamera::LookAt(centre, {0, 0, 0.55}, width, height, 0.95 * width));
  }
  return cameras;
}

}  // namespace nerfpipe::demo
