#pragma once

// Captures and data sets that are small enough to be made on the fly, of the
// irregular scene.

#include "stages/common/image.h"

#include <filesystem>

namespace nerfpipe {

// What the irregular scene looks like to a hand that moves past it: frame
// `index` of a clip, 213 x 149 pixels. The hand is never still, and never moves
// twice by the same distance.
Image ClipFrame(int index);

// An MP4 of the first `frames`.
void WriteClip(const std::filesystem::path& file,
               int frames,
               double frames_per_second = 24);

// The same pictures as JPEG photos "IMG 5.jpg", "IMG 6.jpg", ...
void WritePhotos(const std::filesystem::path& folder, int count);

// A transforms.json with the first `views` pictures of one lens, as PNG files
// beside it. Cameras stand round the scene.
void WriteSmallDataset(const std::filesystem::path& folder, int views);

}  // namespace nerfpipe
