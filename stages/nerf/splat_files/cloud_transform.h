#pragma once

// Moves a cloud into other coordinates.

#include "stages/nerf/splat_files/splat_cloud.h"

#include <array>

namespace nerfpipe::splats {

// `target_from_source` is a row-major 3 x 4 similarity [scale * rotation |
// translation]. Harmonics turn along, exactly: a colour stays what it was when
// the camera turns with the cloud. Throws UserError for any other matrix, one
// that mirrors among them.
SplatCloud Transformed(const std::array<double, 12>& target_from_source,
                       SplatCloud cloud);

}  // namespace nerfpipe::splats
