#pragma once

// Splats that somebody else trained, to be rendered: a file, and cameras round
// what it shows.

#include "stages/nerf/scene.h"
#include "stages/nerf/splat/splat_method.h"
#include "stages/nerf/splat_files/splat_cloud.h"

#include <memory>
#include <string>

namespace nerfpipe {

// Of any frame: nothing is known but the gaussians.
std::unique_ptr<nerf::splat::SplatMethod> MethodOf(
    const splats::SplatCloud& cloud);

// Cameras on a ring round the middle of the cloud, a little above it, that see
// most of it. `up` is one of "x", "-x", "y", "-y", "z", "-z".
nerf::Dataset CamerasRound(const splats::SplatCloud& cloud,
                           const std::string& up,
                           int width,
                           int height);

}  // namespace nerfpipe
