#include "stages/nerf/rays.h"

#include "pipeline/base/error.h"

#include <cmath>

#include <ATen/Parallel.h>

namespace nerfpipe::nerf {
namespace {

// [scale * rotation | translation] as tensors, rotation without the scale.
struct Placement {
  torch::Tensor rotation;  // 3 x 3
  torch::Tensor linear;    // 3 x 3, with the scale
  torch::Tensor translation;
};

Placement PlacementOf(const SceneFrame& frame) {
  const torch::Tensor rows =
      torch::tensor(
          torch::ArrayRef<double>(frame.normalised_from_world.data(), 12),
          torch::kFloat64)
          .view({3, 4});
  NERFPIPE_CHECK(frame.scale > 0);
  Placement placement;
  placement.linear = rows.slice(1, 0, 3);
  placement.rotation = placement.linear / frame.scale;
  placement.translation = rows.select(1, 3);
  return placement;
}

Rays AsAsked(const Rays& rays, const SceneFrame& frame, const RayRules& rules) {
  return rules.ndc && frame.ndc
             ? ToNdc(rays, frame.ndc_focal_x, frame.ndc_focal_y)
             : rays;
}

double PixelCentre(const RayRules& rules) {
  return rules.integer_pixels ? 0.0 : 0.5;
}

}  // namespace

Rays Rays::Slice(int64_t begin, int64_t end) const {
  return {origins.slice(0, begin, end),
          directions.slice(0, begin, end),
          view_directions.slice(0, begin, end),
          near.slice(0, begin, end),
          far.slice(0, begin, end)};
}

CameraTable::CameraTable(const std::vector<Camera>& cameras,
                         const SceneFrame& frame,
                         torch::Device device,
                         torch::Dtype dtype)
    : frame_(frame), cameras_(cameras) {
  NERFPIPE_CHECK(!cameras.empty());
  const Placement placement = PlacementOf(frame);
  std::vector<torch::Tensor> intrinsics, rotations, centres;
  for (const Camera& camera : cameras) {
    const torch::Tensor pose =
        torch::tensor(
            torch::ArrayRef<double>(camera.world_from_camera.data(), 12),
            torch::kFloat64)
            .view({3, 4});
    intrinsics.push_back(torch::tensor(
        {camera.fx, camera.fy, camera.cx, camera.cy}, torch::kFloat64));
    rotations.push_back(placement.rotation.mm(pose.slice(1, 0, 3)));
    centres.push_back(placement.linear.mv(pose.select(1, 3)) +
                      placement.translation);
  }
  const auto options = torch::TensorOptions().dtype(dtype).device(device);
  intrinsics_ = torch::stack(intrinsics).to(options);
  rotations_ = torch::stack(rotations).to(options);
  centres_ = torch::stack(centres).to(options);
}

template <typename T>
Rays CameraTable::LoopThrough(const torch::Tensor& view,
                              const torch::Tensor& x,
                              const torch::Tensor& y,
                              double centre) const {
  const int64_t count = view.size(0);
  Rays rays;
  rays.origins = torch::empty({count, 3}, centres_.options());
  rays.directions = torch::empty_like(rays.origins);
  rays.view_directions = torch::empty_like(rays.origins);
  rays.near = torch::full({count}, frame_.near, centres_.options());
  rays.far = torch::full({count}, frame_.far, centres_.options());
  const int64_t* views = view.data_ptr<int64_t>();
  const int64_t* columns = x.data_ptr<int64_t>();
  const int64_t* rows = y.data_ptr<int64_t>();
  T* origin = rays.origins.data_ptr<T>();
  T* direction = rays.directions.data_ptr<T>();
  T* unit = rays.view_directions.data_ptr<T>();
  at::parallel_for(0, count, kRaysPerTask, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T* k = intrinsics_.data_ptr<T>() + 4 * views[i];
      const T* rotation = rotations_.data_ptr<T>() + 9 * views[i];
      const T* from = centres_.data_ptr<T>() + 3 * views[i];
      const T u =
          (static_cast<T>(columns[i]) + static_cast<T>(centre) - k[2]) / k[0];
      const T v =
          (static_cast<T>(rows[i]) + static_cast<T>(centre) - k[3]) / k[1];
      T* d = direction + 3 * i;
      for (int a = 0; a < 3; ++a) {
        origin[3 * i + a] = from[a];
        d[a] =
            rotation[3 * a] * u - rotation[3 * a + 1] * v - rotation[3 * a + 2];
      }
      const T length = std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
      for (int a = 0; a < 3; ++a) unit[3 * i + a] = d[a] / length;
    }
  });
  return rays;
}

Rays CameraTable::Through(const torch::Tensor& view,
                          const torch::Tensor& x,
                          const torch::Tensor& y,
                          const RayRules& rules) const {
  if (!centres_.device().is_cpu()) {
    return ThroughPlain(view, x, y, rules);
  }
  const double centre = PixelCentre(rules);
  return AsAsked(centres_.scalar_type() == torch::kFloat64
                     ? LoopThrough<double>(view, x, y, centre)
                     : LoopThrough<float>(view, x, y, centre),
                 frame_,
                 rules);
}

Rays CameraTable::ThroughPlain(const torch::Tensor& view,
                               const torch::Tensor& x,
                               const torch::Tensor& y,
                               const RayRules& rules) const {
  const torch::Tensor k = intrinsics_.index_select(0, view);
  const double centre = PixelCentre(rules);
  const torch::Tensor u =
      (x.to(k.dtype()) + centre - k.select(1, 2)) / k.select(1, 0);
  const torch::Tensor v =
      (y.to(k.dtype()) + centre - k.select(1, 3)) / k.select(1, 1);
  const torch::Tensor in_camera =
      torch::stack({u, -v, torch::full_like(u, -1)}, 1);

  Rays rays;
  rays.origins = centres_.index_select(0, view);
  rays.directions =
      (rotations_.index_select(0, view) * in_camera.unsqueeze(1)).sum(-1);
  rays.view_directions =
      rays.directions / rays.directions.norm(2, {-1}, /*keepdim=*/true);
  rays.near = torch::full_like(u, frame_.near);
  rays.far = torch::full_like(u, frame_.far);
  return AsAsked(rays, frame_, rules);
}

Rays CameraTable::ThroughAll(int64_t view, const RayRules& rules) const {
  return ThroughRows(view, 0, cameras_.at(view).height, rules);
}

Rays CameraTable::ThroughRows(int64_t view,
                              int64_t top,
                              int64_t bottom,
                              const RayRules& rules) const {
  const auto options =
      torch::TensorOptions().dtype(torch::kInt64).device(centres_.device());
  const int64_t width = cameras_.at(view).width;
  const torch::Tensor x = torch::arange(width, options).repeat({bottom - top});
  const torch::Tensor y =
      torch::arange(top, bottom, options).repeat_interleave(width);
  return Through(torch::full_like(x, view), x, y, rules);
}

Rays ToNdc(const Rays& rays, double focal_x, double focal_y, double near) {
  const torch::Tensor dz = rays.directions.select(1, 2);
  const torch::Tensor shift = -(near + rays.origins.select(1, 2)) / dz;
  const torch::Tensor o = rays.origins + shift.unsqueeze(1) * rays.directions;
  const torch::Tensor ox = o.select(1, 0) / o.select(1, 2);
  const torch::Tensor oy = o.select(1, 1) / o.select(1, 2);
  const torch::Tensor dx = rays.directions.select(1, 0) / dz;
  const torch::Tensor dy = rays.directions.select(1, 1) / dz;
  const torch::Tensor z = 2 * near / o.select(1, 2);

  Rays ndc;
  ndc.origins = torch::stack({-focal_x * ox, -focal_y * oy, 1 + z}, 1);
  ndc.directions =
      torch::stack({-focal_x * (dx - ox), -focal_y * (dy - oy), -z}, 1);
  ndc.view_directions = rays.view_directions;
  ndc.near = torch::zeros_like(rays.near);
  ndc.far = torch::ones_like(rays.far);
  return ndc;
}

torch::Tensor DepthFromNdc(const Rays& rays,
                           const torch::Tensor& t,
                           double near) {
  const torch::Tensor dz = rays.directions.select(1, 2);
  const torch::Tensor shift = -(near + rays.origins.select(1, 2)) / dz;
  // t = 1 - o_z / (o_z + depth * d_z) with o_z = -near, solved for depth.
  return shift - near * t / ((1 - t).clamp_min(1e-6) * dz);
}

Rays ClipToBox(const Rays& rays, double half) {
  const torch::Tensor d = torch::where(rays.directions.abs() < 1e-12,
                                       torch::full_like(rays.directions, 1e-12),
                                       rays.directions);
  const torch::Tensor a = (-half - rays.origins) / d;
  const torch::Tensor b = (half - rays.origins) / d;
  Rays clipped = rays;
  clipped.near = torch::maximum(rays.near, torch::minimum(a, b).amax({1}));
  clipped.far = torch::maximum(
      clipped.near, torch::minimum(rays.far, torch::maximum(a, b).amin({1})));
  return clipped;
}

}  // namespace nerfpipe::nerf
