#pragma once

// Finds from the cameras what kind of scene was captured and places it for
// training: centre, scale, up, bounds, box or contraction, NDC.

#include "stages/nerf/scene.h"
#include "stages/nerf/scene_frame.h"

#include <string>

namespace nerfpipe::nerf {

struct SceneOptions {
  // "auto", or the type to take: "forward-facing", "orbit", "inward", "walk".
  std::string type = "auto";
  // Forward-facing scenes go to normalised device coordinates (method `nerf`).
  bool ndc = false;
};

// Axes of the normalised frame: in NDC those of the average camera (x right,
// y up, z backward), in a known box those of the world, else z up. What is put
// inside [-1, 1]^3:
//   known box        the box
//   orbit, inward    everything up to the cameras, which stand at norm <= 1
//   walk             the cameras, and half of the points
//   forward-facing   the nearer points, the cameras in front of them; for NDC
//                    the scale of nerf-pytorch, nearest depth 4/3
// Depth bounds of the views (LLFF's percentiles) or, without them, distances
// of the points and of the focus give near and far.
// Throws UserError for no cameras at all or an unknown type.
SceneFrame AnalyseScene(const Dataset& dataset, const SceneOptions& options);

// "forward-facing", "orbit", "inward", "walk".
std::string NameOf(SceneType type);

// Nearest and farthest depth along the optical axes in world units, steady
// against single stray views.
struct DepthRange {
  double near = 0;
  double far = 0;
};
DepthRange DepthsOf(const Dataset& dataset);

}  // namespace nerfpipe::nerf
