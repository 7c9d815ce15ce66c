#pragma once

// Camera paths for videos: a circle or an arc along the cameras' ring, nerf's
// spiral, or a smooth walk past the cameras.

#include "stages/nerf/scene.h"
#include "stages/nerf/scene_frame.h"

#include <string>
#include <vector>

namespace nerfpipe::nerf {

struct PathOptions {
  std::string path = "auto";  // "auto", "orbit", "spiral", "interpolate"
  int frames = 120;
  // Size of the frames in pixels; 0: that of the data set's images. One of
  // them alone keeps the aspect ratio.
  int width = 0;
  int height = 0;
};

// The path that suits the scene: spiral for forward-facing, interpolate for a
// walk, else orbit.
std::string DefaultPath(SceneType type);

// Cameras in world coordinates, one per frame, all with the intrinsics of the
// first view, principal point in the middle.
//   orbit        round the axis through the focus, with the mean radius, height
//                and view direction of the cameras near each angle; closed,
//                without a doubled last frame. Where the cameras cover less
//                than 300 degrees, the covered arc is swept to and fro instead.
//   spiral       nerf-pytorch, load_llff.py, render_path_spiral: two turns,
//                closed.
//   interpolate  a cubic B-spline over the cameras in the order of their
//                names, at constant speed; from the first to the last.
// Throws UserError for an unknown path or no views.
std::vector<Camera> MakeRenderPath(const Dataset& dataset,
                                   const SceneFrame& frame,
                                   const PathOptions& options);

}  // namespace nerfpipe::nerf
