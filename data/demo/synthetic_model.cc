#include "data/demo/synthetic_model.h"

#include "pipeline/base/error.h"
#include "pipeline/base/random.h"

#include <utility>

namespace nerfpipe::demo {
namespace {

// Depths that differ by less than this part of themselves are the same.
constexpr double kSameDepth = 1e-4;

bool Sees(const DemoScene& scene,
          const DemoCamera& camera,
          Vec3 point,
          const Projection& seen) {
  if (seen.depth <= 0 || seen.pixel.x < 0 || seen.pixel.y < 0 ||
      seen.pixel.x >= camera.width || seen.pixel.y >= camera.height) {
    return false;
  }
  const Vec3 origin = camera.Centre();
  const Ray ray{origin, (point - origin) * (1 / seen.depth)};
  return scene.Trace(ray).distance > seen.depth * (1 - kSameDepth);
}

// Adds the point with its observations, unless fewer than two views see it.
void AddPoint(const DemoScene& scene,
              std::span<const DemoCamera> cameras,
              Vec3 xyz,
              Vec3 color,
              ColmapModel* model) {
  std::vector<std::pair<uint32_t, Vec2>> seen;
  for (size_t i = 0; i < cameras.size(); ++i) {
    const Projection projection = Project(cameras[i], xyz);
    if (Sees(scene, cameras[i], xyz, projection)) {
      seen.emplace_back(static_cast<uint32_t>(i + 1), projection.pixel);
    }
  }
  if (seen.size() < 2) return;
  const uint64_t id = model->points.size() + 1;
  ColmapPoint point;
  point.xyz = Eigen::Vector3d(xyz.x, xyz.y, xyz.z);
  point.rgb[0] = ToneMap(color.x);
  point.rgb[1] = ToneMap(color.y);
  point.rgb[2] = ToneMap(color.z);
  for (const auto& [image_id, pixel] : seen) {
    auto& observations = model->images.at(image_id).observations;
    point.track.push_back(
        {image_id, static_cast<uint32_t>(observations.size())});
    observations.push_back(
        {Eigen::Vector2d(pixel.x, pixel.y), static_cast<int64_t>(id)});
  }
  model->points[id] = std::move(point);
}

}  // namespace

Rigid3 PoseOf(const DemoCamera& camera) {
  const auto& m = camera.world_from_camera;
  Rigid3 pose;
  pose.rotation << m[0], m[1], m[2], m[4], m[5], m[6], m[8], m[9], m[10];
  pose.translation << m[3], m[7], m[11];
  return pose;
}

Pinhole PinholeOf(const DemoCamera& camera) {
  return {
      camera.width, camera.height, camera.fx, camera.fy, camera.cx, camera.cy};
}

ColmapModel MakeSyntheticModel(const DemoScene& scene,
                               std::span<const DemoCamera> cameras,
                               const std::vector<std::string>& names,
                               int points,
                               uint64_t seed) {
  NERFPIPE_CHECK(!cameras.empty() && cameras.size() == names.size());
  ColmapModel model;
  const DemoCamera& lens = cameras.front();
  model.cameras[1] = {
      1, lens.width, lens.height, {lens.fx, lens.fy, lens.cx, lens.cy}};
  for (size_t i = 0; i < cameras.size(); ++i) {
    ColmapImage image;
    image.name = names[i];
    image.camera_id = 1;
    image.camera_from_world = PoseOf(cameras[i]).Inverse();
    model.images[static_cast<uint32_t>(i + 1)] = std::move(image);
  }
  Random random(seed);
  for (int i = 0; i < points; ++i) {
    const DemoCamera& camera = cameras[random.Below(cameras.size())];
    const double x = random.Uniform(0, camera.width);
    const double y = random.Uniform(0, camera.height);
    const Ray ray = PixelRay(camera, {x, y});
    const DemoScene::Hit hit = scene.Trace(ray);
    AddPoint(scene,
             cameras,
             ray.origin + ray.direction * hit.distance,
             scene.Shade(ray, hit, 1 / camera.fx),
             &model);
  }
  return model;
}

}  // namespace nerfpipe::demo
