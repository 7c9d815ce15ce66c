#pragma once

// How well a model is held: two halves of its points, each adjusted by itself,
// should put the cameras in the same places.

#include <map>

#include <colmap/scene/reconstruction.h>

namespace nerfpipe::sfm {

struct AdjustmentOptions;

// For each registered image half of the distance between its two places, once
// the halves are laid over each other, in parts of the radius: the median
// distance of the cameras from their middle. It is about what chance errors of
// the observations move the camera by. Empty with fewer than four images.
std::map<colmap::image_t, double> DeviationOfHalves(
    const AdjustmentOptions& options, const colmap::Reconstruction& model);

}  // namespace nerfpipe::sfm
