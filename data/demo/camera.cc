#include "data/demo/demo_scene.h"

#include <cmath>

namespace nerfpipe::demo {
namespace {

// Columns of the rotation, which are the camera's axes in the world.
struct Axes {
  Vec3 right;
  Vec3 down;
  Vec3 forward;
};

Axes AxesOf(const DemoCamera& camera) {
  const auto& m = camera.world_from_camera;
  return {{m[0], m[4], m[8]}, {m[1], m[5], m[9]}, {m[2], m[6], m[10]}};
}

void SetPose(const Axes& a, Vec3 c, DemoCamera* camera) {
  camera->world_from_camera = {a.right.x,
                               a.down.x,
                               a.forward.x,
                               c.x,
                               a.right.y,
                               a.down.y,
                               a.forward.y,
                               c.y,
                               a.right.z,
                               a.down.z,
                               a.forward.z,
                               c.z};
}

// Turns a towards b.
void Turn(double angle, Vec3* a, Vec3* b) {
  const Vec3 old = *a;
  *a = old * std::cos(angle) + *b * std::sin(angle);
  *b = *b * std::cos(angle) - old * std::sin(angle);
}

}  // namespace

Vec3 DemoCamera::Centre() const {
  return {world_from_camera[3], world_from_camera[7], world_from_camera[11]};
}

DemoCamera DemoCamera::LookAt(
    Vec3 centre, Vec3 target, int width, int height, double focal) {
  DemoCamera camera;
  camera.width = width;
  camera.height = height;
  camera.fx = camera.fy = focal;
  camera.cx = width / 2.0;
  camera.cy = height / 2.0;
  Axes axes;
  axes.forward = Normalize(target - centre);
  axes.right = Normalize(Cross(axes.forward, {0, 0, 1}));
  axes.down = Cross(axes.forward, axes.right);
  SetPose(axes, centre, &camera);
  return camera;
}

DemoCamera DemoCamera::Turned(double right,
                              double down,
                              double clockwise) const {
  Axes axes = AxesOf(*this);
  Turn(right, &axes.forward, &axes.right);
  Turn(down, &axes.forward, &axes.down);
  Turn(clockwise, &axes.right, &axes.down);
  DemoCamera turned = *this;
  SetPose(axes, Centre(), &turned);
  return turned;
}

Ray PixelRay(const DemoCamera& camera, Vec2 pixel) {
  const Axes axes = AxesOf(camera);
  return {camera.Centre(),
          axes.right * ((pixel.x - camera.cx) / camera.fx) +
              axes.down * ((pixel.y - camera.cy) / camera.fy) + axes.forward};
}

Projection Project(const DemoCamera& camera, Vec3 point) {
  const Axes axes = AxesOf(camera);
  const Vec3 p = point - camera.Centre();
  const double depth = Dot(axes.forward, p);
  return {{camera.cx + camera.fx * Dot(axes.right, p) / depth,
           camera.cy + camera.fy * Dot(axes.down, p) / depth},
          depth};
}

}  // namespace nerfpipe::demo
