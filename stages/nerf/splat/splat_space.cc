#include "stages/nerf/splat/splat_space.h"

namespace nerfpipe::nerf::splat {

SplatSpace::SplatSpace(const SceneFrame& frame) : scale(frame.scale) {
  // What the frame's similarity takes to its origin.
  const std::array<double, 12>& m = frame.normalised_from_world;
  for (int k = 0; k < 3; ++k) {
    for (int r = 0; r < 3; ++r) {
      centre[k] -= m[4 * r + k] * m[4 * r + 3] / (scale * scale);
    }
  }
}

std::array<double, 3> SplatSpace::FromWorld(
    const std::array<double, 3>& world) const {
  return {scale * (world[0] - centre[0]),
          scale * (world[1] - centre[1]),
          scale * (world[2] - centre[2])};
}

PinholeView ViewOf(const Camera& camera, const SplatSpace& space, double near) {
  const std::array<double, 12>& pose = camera.world_from_camera;
  const std::array<double, 3> centre =
      space.FromWorld({pose[3], pose[7], pose[11]});
  PinholeView view;
  for (int r = 0; r < 3; ++r) {
    // OpenGL's up and backward axes are turned round.
    const double sign = r == 0 ? 1 : -1;
    double translation = 0;
    for (int k = 0; k < 3; ++k) {
      const double axis = sign * pose[4 * k + r];
      view.rotation[3 * r + k] = static_cast<float>(axis);
      translation -= axis * centre[k];
    }
    view.translation[r] = static_cast<float>(translation);
    view.centre[r] = static_cast<float>(centre[r]);
  }
  view.fx = static_cast<float>(camera.fx);
  view.fy = static_cast<float>(camera.fy);
  view.cx = static_cast<float>(camera.cx);
  view.cy = static_cast<float>(camera.cy);
  view.width = camera.width;
  view.height = camera.height;
  view.near = static_cast<float>(near);
  SetTangentLimits(&view);
  return view;
}

PinholeView Halved(const PinholeView& view) {
  PinholeView half = view;
  half.width /= 2;
  half.height /= 2;
  half.fx /= 2;
  half.fy /= 2;
  half.cx /= 2;
  half.cy /= 2;
  return half;
}

}  // namespace nerfpipe::nerf::splat
