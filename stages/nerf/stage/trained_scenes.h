#pragma once

// What the scenes in train/ go on to need of the workspace they were trained
// in.

#include <filesystem>
#include <set>
#include <string>

namespace nerfpipe {

// Folders of the images and masks that they were trained on, by their
// scene.json: `eval` compares with them.
std::set<std::string> ImagesOfTrainedScenes(
    const std::filesystem::path& workspace);

}  // namespace nerfpipe
