#pragma once

// Pixels to rays: cameras as tensors, pixel centres, the placed frame,
// normalised device coordinates, the box.

#include "stages/nerf/scene.h"
#include "stages/nerf/scene_frame.h"
#include "stages/nerf/tensors.h"

#include <cstdint>
#include <vector>

namespace nerfpipe::nerf {

// As many are worth a thread.
inline constexpr int64_t kRaysPerTask = 256;

// N rays in the coordinates of the SceneFrame. Directions have length 1 along
// the optical axis, not in space: `t` of a sample is its depth, as in
// nerf-pytorch.
struct Rays {
  torch::Tensor origins;          // N x 3
  torch::Tensor directions;       // N x 3
  torch::Tensor view_directions;  // N x 3, unit length, never in NDC
  torch::Tensor near;             // N, depths between which samples are taken
  torch::Tensor far;              // N

  int64_t size() const { return origins.size(0); }
  Rays Slice(int64_t begin, int64_t end) const;
};

// How a method wants its rays.
struct RayRules {
  bool ndc = false;             // take them to NDC where the frame offers it
  bool integer_pixels = false;  // pixel centres at integers (nerf-pytorch)
};

// The cameras of many views, stacked, in the coordinates of a frame.
class CameraTable {
 public:
  // Float64 tables are for tests; training uses float32.
  CameraTable(const std::vector<Camera>& cameras,
              const SceneFrame& frame,
              torch::Device device,
              torch::Dtype dtype = torch::kFloat32);

  // Rays through pixels: `view` (int64), `x` and `y` (int64, column and row
  // from the top left) are N-vectors.
  Rays Through(const torch::Tensor& view,
               const torch::Tensor& x,
               const torch::Tensor& y,
               const RayRules& rules) const;
  // The definition of the same, for any device: Through() is one loop on the
  // CPU.
  Rays ThroughPlain(const torch::Tensor& view,
                    const torch::Tensor& x,
                    const torch::Tensor& y,
                    const RayRules& rules) const;

  // All pixels of one view, row by row.
  Rays ThroughAll(int64_t view, const RayRules& rules) const;
  // Those of rows `top` to `bottom` - 1.
  Rays ThroughRows(int64_t view,
                   int64_t top,
                   int64_t bottom,
                   const RayRules& rules) const;

 private:
  template <typename T>
  Rays LoopThrough(const torch::Tensor& view,
                   const torch::Tensor& x,
                   const torch::Tensor& y,
                   double centre) const;

  SceneFrame frame_;
  std::vector<Camera> cameras_;
  torch::Tensor intrinsics_;  // V x 4: fx, fy, cx, cy
  torch::Tensor rotations_;   // V x 3 x 3, normalised from camera axes
  torch::Tensor centres_;     // V x 3
};

// Rays moved to the plane z = -near and bent into normalised device
// coordinates (Mildenhall et al. 2020, appendix C; nerf-pytorch's ndc_rays
// with near 1). focal_x is 2 fx / width. Near becomes 0 and far 1.
Rays ToNdc(const Rays& rays, double focal_x, double focal_y, double near = 1);

// Depth along the optical axis of the point at NDC depth `t` of each ray.
// `rays` are the rays before ToNdc.
torch::Tensor DepthFromNdc(const Rays& rays,
                           const torch::Tensor& t,
                           double near = 1);

// near and far cut to [-half, half]^3; rays that miss it get near = far.
Rays ClipToBox(const Rays& rays, double half = 1);

}  // namespace nerfpipe::nerf
