#pragma once

// The coordinates in which gaussians are trained: those of the data set, moved
// and scaled so that numbers are near 1, but not turned, so that colours by
// direction are those of the data set.

#include "stages/nerf/scene.h"
#include "stages/nerf/scene_frame.h"
#include "stages/nerf/splat/kernels/gaussian_blocks.h"

#include <array>

namespace nerfpipe::nerf::splat {

struct SplatSpace {
  std::array<double, 3> centre = {0, 0, 0};  // world
  double scale = 1;                          // of one world unit

  explicit SplatSpace(const SceneFrame& frame);

  std::array<double, 3> FromWorld(const std::array<double, 3>& world) const;
};

// `near` in the space's units.
PinholeView ViewOf(const Camera& camera, const SplatSpace& space, double near);

// Of a picture of half the size, from areas of 2 x 2 pixels; a last odd row or
// column is left out.
PinholeView Halved(const PinholeView& view);

}  // namespace nerfpipe::nerf::splat
