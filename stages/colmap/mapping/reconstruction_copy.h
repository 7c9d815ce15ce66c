#pragma once

// COLMAP's reconstructions to models of ours, and back.

#include "stages/common/colmap_model.h"

#include <memory>
#include <vector>

#include <colmap/scene/reconstruction.h>

namespace nerfpipe::sfm {

ColmapCamera FromColmap(const colmap::Camera& camera);
ColmapModel FromColmap(const colmap::Reconstruction& model);

// With the same identifiers; all images are registered.
std::shared_ptr<colmap::Reconstruction> ToColmap(const ColmapModel& model);

// The registered images, in the order of their names.
std::vector<colmap::image_t> InOrder(const colmap::Reconstruction& model);

// Is fy equal to fx in all of them?
bool HasSquarePixels(const colmap::Reconstruction& model);

}  // namespace nerfpipe::sfm
