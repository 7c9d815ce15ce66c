#pragma once

// The commands that faults are tried on, each in a folder of its own.

#include "tests/faults/trial.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace nerfpipe {

// In the order of what they cost:
//   photos   a folder of photos, up to check
//   clip     a clip, up to check
//   again    the same with other options, after the user altered a frame
//   llff     poses and downsample
//   train, splat  on a data set
//   render   of what `train` trained
//   colmap   of some photos, in the child process
std::vector<std::string> SceneNames();

// `folder` must be empty.
std::unique_ptr<Scene> MakeScene(const std::string& name,
                                 const std::filesystem::path& folder);

}  // namespace nerfpipe
