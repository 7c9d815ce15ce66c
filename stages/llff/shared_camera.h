#pragma once

// Cameras as LLFF's file can hold them, and the one that its readers assume for
// all images.

#include "stages/common/colmap_model.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace nerfpipe {

// By identifier.
using Pinholes = std::map<uint32_t, Pinhole>;

// The cameras of all images: pinholes, fx = fy, principal points in the middle.
// Throws UserError naming the camera that is not so; `file` stands in the
// message.
Pinholes CentredPinholes(const ColmapModel& model, const std::string& file);

// What they all are; nothing when they differ. `cameras` is not empty.
std::optional<Pinhole> SharedPinhole(const Pinholes& cameras);

}  // namespace nerfpipe
