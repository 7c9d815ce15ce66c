#pragma once

// scene.json in train/METHOD: the cameras that a scene was trained on, so that
// it can be rendered without the images.

#include "stages/nerf/scene.h"

#include <filesystem>

namespace nerfpipe {

struct SceneFile {
  nerf::Dataset views;  // without images when read from a file
  // How the data set was read (nerf::ReadOptions).
  int factor = 1;
  int llffhold = 8;
};

// Views without depth bounds get those of the whole data set.
void WriteSceneFile(const SceneFile& scene, const std::filesystem::path& path);

// Throws UserError naming the file when it is missing or damaged, or has no
// training views.
SceneFile ReadSceneFile(const std::filesystem::path& path);

}  // namespace nerfpipe
