#pragma once

// What nerf-pytorch makes of a folder: its loader's rules, written anew, and a
// check that the poses it ends up with still explain the images.

#include "stages/common/colmap_model.h"
#include "stages/llff/depth_bounds.h"

#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe {

// Row i of poses_bounds.npy belongs to names[i].
struct LoadedScene {
  std::vector<std::string> names;
  int width = 0;
  int height = 0;
  double focal = 0;                       // px at that size
  std::vector<Rigid3> world_from_camera;  // OpenGL axes
  std::vector<DepthBounds> bounds;
};

// Reads a scene by the rules of nerf-pytorch's load_llff.py: poses and images
// are paired by sorted name, one size (of the first image) and one focal length
// (of the first row, divided by `factor`) hold for all, the principal point is
// the middle. Throws UserError where that loader would stop, or go on with
// something wrong: a count that differs, no image, sizes that differ, bounds
// that are not positive.
LoadedScene LoadAsNerfPytorch(const std::filesystem::path& poses_bounds,
                              const std::filesystem::path& images,
                              int factor);

// Mean distance in pixels between the model's observations and its points as
// the loaded cameras project them; a point behind its camera counts as the
// image's diagonal. Throws UserError when an image of the scene is not in the
// model.
double MeanReprojectionError(const ColmapModel& model,
                             const LoadedScene& scene);

}  // namespace nerfpipe
