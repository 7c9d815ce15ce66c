#pragma once

// Masks on disk: gray pictures of the size of the image beside them, in which
// white stands for pixels that may be used.

#include "stages/common/image.h"

#include <filesystem>

namespace nerfpipe {

// One channel, 255 where the file is at least 128 and 0 elsewhere. Throws
// UserError as ReadImage does, and when the size is another.
Image ReadMask(const std::filesystem::path& path, int width, int height);

}  // namespace nerfpipe
