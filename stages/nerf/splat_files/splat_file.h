#pragma once

// Splats in .splat, the records of 32 bytes of antimatter15's viewer: no
// harmonics, no header. Source: github.com/antimatter15/splat, convert.py.

#include "stages/nerf/splat_files/splat_cloud.h"

#include <string>
#include <string_view>

namespace nerfpipe::splats {

// The largest and most opaque first: the viewer shows what has arrived.
std::string SplatBytes(const SplatCloud& cloud);

// Not antialiased, for the format does not tell. Throws UserError naming the
// file when it is cut short or holds nothing of use.
SplatCloud ReadSplat(std::string_view bytes, const std::string& name);

}  // namespace nerfpipe::splats
