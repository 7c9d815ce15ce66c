#pragma once

// JSON files of cameras, with messages that name file and field. Internal to
// stages/nerf/data.

#include "stages/common/camera.h"

#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace nerfpipe::nerf {

// All throw UserError.

// A file whose top level is an object with a non-empty list "frames".
nlohmann::json ReadCameraJson(const std::filesystem::path& file);

// A number of `object`; nothing when the field is not there.
std::optional<double> NumberIn(const nlohmann::json& object,
                               const char* field,
                               const std::filesystem::path& file);

// "file_path" of a frame.
std::string FilePathOf(const nlohmann::json& frame,
                       const std::filesystem::path& file);

// "transform_matrix" of a frame, 4 x 4 or 3 x 4: world_from_camera, OpenGL
// axes.
Rigid3 PoseOfFrame(const nlohmann::json& frame,
                   const std::filesystem::path& file);

}  // namespace nerfpipe::nerf
