#pragma once

// The one camera that all images of a capture share, before solving.

#include "stages/colmap/matching/two_view.h"

#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe::sfm {

// `model` is COLMAP's name of a camera model ("OPENCV"). The focal length is
// the first that EXIF of the photos tells, else `focal` in parts of the
// diagonal if it is not 0, else 1.2 times the longer side.
CameraPrior MakeCameraPrior(const std::string& model,
                            int width,
                            int height,
                            double focal,
                            const std::vector<std::filesystem::path>& photos);

}  // namespace nerfpipe::sfm
