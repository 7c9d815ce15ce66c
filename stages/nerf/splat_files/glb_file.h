#pragma once

// Splats in glTF 2.0, by the extension KHR_gaussian_splatting (release
// candidate, text of April 2026), in one binary file.

#include "stages/nerf/splat_files/splat_cloud.h"

#include <string>

namespace nerfpipe::splats {

// A viewer without the extension shows points in their colours. The extension
// has no place for SplatCloud::antialiased.
std::string GlbBytes(const SplatCloud& cloud);

}  // namespace nerfpipe::splats
