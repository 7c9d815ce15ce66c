#pragma once

// scene_transform.json: the frame of all that leaves the program.

#include "stages/geometry/scene_transform.h"

#include <filesystem>
#include <string>

namespace nerfpipe {

inline constexpr char kSceneTransformFile[] = "scene_transform.json";

// The file's text. `exported_from_sparse` has four rows; `unit` is "arbitrary"
// as long as nothing tells a real size.
std::string SceneTransformJson(const SceneTransform& transform);

// Throws UserError naming the file when it is missing, damaged, or not a
// similarity without mirroring.
SceneTransform ReadSceneTransform(const std::filesystem::path& path);

}  // namespace nerfpipe
