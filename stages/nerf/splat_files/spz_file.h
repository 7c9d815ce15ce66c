#pragma once

// Splats in SPZ, Niantic's format: quantised, transposed and packed by gzip,
// about a tenth of the size of PLY. Source: github.com/nianticlabs/spz.

#include "stages/nerf/splat_files/splat_cloud.h"

#include <string>
#include <string_view>

namespace nerfpipe::splats {

// Version 3. All current readers take it (spz, Spark 2, splat-transform);
// version 2 has quaternions of 8 bits, and version 4 (Zstandard) is read by
// few.
//
// What is left of a value: of a mean 24 bits, shared with the largest
// coordinate; of a logarithm of a scale, from -10 to 5.9, 1/32; of an opacity
// and of coefficient 0, from -3.3 to 3.3, half of 1/255 of that range; of
// harmonics, from -1 to 1, 0.04 in degree 1 and 0.07 above it, as Niantic's own
// program leaves it; of a component of a quaternion 0.0007.
std::string SpzBytes(const SplatCloud& cloud);

// Versions 1 to 3. Throws UserError naming the file for anything else, and for
// what unpacks to absurdly much.
SplatCloud ReadSpz(std::string_view bytes, const std::string& name);

}  // namespace nerfpipe::splats
