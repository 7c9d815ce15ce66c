#pragma once

// scene.json in train/METHOD: the cameras that a scene was trained on, so that
// it can be rendered without the images, and how near its held-out views came.

#include "stages/nerf/scene.h"

#include <filesystem>

namespace nerfpipe {

struct SceneFile {
  nerf::Dataset views;  // without images when read from a file
  // How the data set was read (nerf::ReadOptions).
  int factor = 1;
  int llffhold = 8;
  // Mean SSIM of the held-out views, below 0 without such or before the end.
  double ssim = -1;

  // Of the largest training image.
  int LongerSide() const;
};

// Views without depth bounds get those of the whole data set.
void WriteSceneFile(const SceneFile& scene, const std::filesystem::path& path);

// Throws UserError naming the file when it is missing or damaged, or has no
// training views.
SceneFile ReadSceneFile(const std::filesystem::path& path);

}  // namespace nerfpipe
