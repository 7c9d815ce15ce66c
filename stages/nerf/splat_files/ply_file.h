#pragma once

// Splats in PLY, as 3D Gaussian Splatting writes them (Kerbl et al. 2023,
// scene/gaussian_model.py) and most programs read them.

#include "stages/nerf/splat_files/splat_cloud.h"

#include <string>
#include <string_view>

namespace nerfpipe::splats {

// float32 throughout, normals of 0. Throws UserError for an empty or broken
// cloud, as all writers here do.
std::string PlyBytes(const SplatCloud& cloud);

// Properties in any order and of any type; other elements and properties are
// skipped. Without a comment that tells, the cloud is not antialiased. Throws
// UserError naming the file for what is no such file, or holds no splats.
SplatCloud ReadPly(std::string_view bytes, const std::string& name);

}  // namespace nerfpipe::splats
