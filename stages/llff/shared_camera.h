#pragma once

// The one camera that LLFF and nerf-pytorch assume for all images.

#include "stages/common/colmap_model.h"

#include <string>

namespace nerfpipe {

// The camera of all images: pinhole, fx = fy, principal point in the middle.
// Throws UserError naming the camera or image that is not so; `file` stands in
// the message.
Pinhole SharedPinhole(const ColmapModel& model, const std::string& file);

}  // namespace nerfpipe
