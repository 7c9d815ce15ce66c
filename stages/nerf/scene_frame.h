#pragma once

// How a scene is placed before training: its type, a similarity transform into
// normalised coordinates, bounds, contraction or box, NDC. Found from the
// poses (scene_analysis.h), printed with its reason, overridable.

#include <array>
#include <string>

namespace nerfpipe::nerf {

enum class SceneType {
  kForwardFacing,  // cameras side by side, looking the same way
  kOrbit,          // cameras round an object, looking inward
  kInward,         // cameras on a dome or sphere, looking inward
  kWalk,           // cameras along a path, no common centre
};

struct SceneFrame {
  SceneType type = SceneType::kOrbit;
  std::string reason;  // one sentence for the user
  // Row-major 3 x 4 similarity [scale * rotation | translation]: normalised
  // coordinates from world coordinates.
  std::array<double, 12> normalised_from_world = {
      1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0};
  double scale = 1;  // of that transform
  // Depth bounds of all cameras, normalised units.
  double near = 0.05;
  double far = 10;
  // Normalised device coordinates for forward-facing scenes (method `nerf`):
  // the rays then live in NDC, with near 0 and far 1.
  bool ndc = false;
  double ndc_focal_x = 0;  // 2 fx / width
  double ndc_focal_y = 0;  // 2 fy / height
  // Bounded scenes: everything is inside [-1, 1]^3. Unbounded ones: the
  // foreground is inside [-1, 1]^3 and space outside it is contracted to
  // [-2, 2]^3 by the max-norm.
  bool bounded = false;
  bool lindisp = false;  // sample linearly in disparity (method `nerf`)
};

}  // namespace nerfpipe::nerf
