#include "stages/nerf/jobs/foreign_scene.h"

#include "pipeline/base/error.h"
#include "stages/nerf/camera_pose.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace nerfpipe {
namespace {

constexpr double kDegree = 3.14159265358979323846 / 180;
// Of a gaussian that counts for where the scene is.
constexpr double kSolid = 0.3;
constexpr int kCameras = 48;
constexpr double kElevation = 20 * kDegree;
constexpr double kFieldOfView = 50 * kDegree;  // along the shorter side

Vec3 AxisNamed(const std::string& name) {
  const double sign = name.front() == '-' ? -1 : 1;
  switch (name.back()) {
    case 'x':
      return {sign, 0, 0};
    case 'y':
      return {0, sign, 0};
    default:
      return {0, 0, sign};
  }
}

std::vector<Vec3> SolidMeans(const splats::SplatCloud& cloud) {
  std::vector<Vec3> solid, all;
  for (size_t i = 0; i < cloud.count(); ++i) {
    const float* m = &cloud.means[3 * i];
    all.push_back({m[0], m[1], m[2]});
    if (splats::OpacityOf(cloud.logits[i]) >= kSolid) {
      solid.push_back(all.back());
    }
  }
  return solid.empty() ? all : solid;
}

Vec3 MedianOf(const std::vector<Vec3>& points) {
  std::vector<double> x, y, z;
  for (const Vec3& point : points) {
    x.push_back(point.x);
    y.push_back(point.y);
    z.push_back(point.z);
  }
  return {Quantile(x, 0.5), Quantile(y, 0.5), Quantile(z, 0.5)};
}

}  // namespace

std::unique_ptr<nerf::splat::SplatMethod> MethodOf(
    const splats::SplatCloud& cloud) {
  using namespace nerf::splat;
  const auto count = static_cast<int64_t>(cloud.count());
  const int harmonics = HarmonicsOf(cloud.degree) - 1;
  GaussianSet set(cloud.degree, count);
  for (int64_t i = 0; i < count; ++i) {
    NewGaussian gaussian;
    gaussian.deviation = 1;
    gaussian.opacity = 0.5;
    set.Add(gaussian);
    const auto n = static_cast<size_t>(i);
    for (int k = 0; k < 3; ++k) {
      set.at(i, kMeanRow + k) = cloud.means[3 * n + k];
      set.at(i, kScaleRow + k) = cloud.log_scales[3 * n + k];
      set.at(i, kColourRow + k) = cloud.colours[3 * n + k];
    }
    for (int k = 0; k < 4; ++k) {
      set.at(i, kRotationRow + k) = cloud.rotations[4 * n + k];
    }
    set.at(i, kOpacityRow) = splats::LogitOf(
        std::min(1.0, splats::OpacityOf(cloud.logits[n]) / kMostOpaque));
    for (int k = 0; k < 3 * harmonics; ++k) {
      set.at(i, kColourRow + 3 + k) = cloud.harmonics[3 * harmonics * n + k];
    }
  }
  set.SortByPlace();
  const std::vector<Vec3> points = SolidMeans(cloud);
  const Vec3 middle = MedianOf(points);
  std::vector<double> distances;
  for (const Vec3& point : points) distances.push_back(Norm(point - middle));
  const double near = std::max(1e-6, 0.02 * Quantile(distances, 0.5));
  // Scenes of Mip-Splatting were trained to pay for the blur; others are shown
  // with it, as they were trained.
  return std::make_unique<SplatMethod>(
      std::move(set), near, cloud.antialiased ? 0.0f : kScreenBlur);
}

nerf::Dataset CamerasRound(const splats::SplatCloud& cloud,
                           const std::string& up_name,
                           int width,
                           int height) {
  const std::vector<Vec3> points = SolidMeans(cloud);
  const Vec3 middle = MedianOf(points);
  std::vector<double> distances;
  for (const Vec3& point : points) distances.push_back(Norm(point - middle));
  // Half of it fills the picture; what lies round an object may be far away.
  const double distance =
      std::max(1e-6, Quantile(distances, 0.5)) / std::tan(kFieldOfView / 2);
  const Vec3 up = AxisNamed(up_name);
  const Vec3 ahead = up.x == 0 ? Vec3{1, 0, 0} : Vec3{0, 1, 0};
  const Vec3 aside = Cross(up, ahead);
  nerf::Dataset cameras;
  for (int i = 0; i < kCameras; ++i) {
    const double angle = 360 * kDegree * i / kCameras;
    const Vec3 outward = std::cos(angle) * ahead + std::sin(angle) * aside;
    const Vec3 back =
        std::cos(kElevation) * outward + std::sin(kElevation) * up;
    nerf::View view;
    view.name = std::to_string(1000 + i);
    view.camera.width = width;
    view.camera.height = height;
    view.camera.fx = view.camera.fy =
        0.5 * std::min(width, height) / std::tan(kFieldOfView / 2);
    view.camera.cx = width / 2.0;
    view.camera.cy = height / 2.0;
    view.near = 0.2 * distance;
    view.far = 20 * distance;
    SetPose(LookAlong(middle + distance * back, back, up), &view.camera);
    cameras.train.push_back(std::move(view));
  }
  return cameras;
}

}  // namespace nerfpipe
