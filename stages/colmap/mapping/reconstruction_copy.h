#pragma once

// COLMAP's reconstructions to models of ours, and back.

#include "stages/common/colmap_model.h"

#include <filesystem>
#include <memory>
#include <vector>

#include <colmap/scene/reconstruction.h>

namespace nerfpipe::sfm {

ColmapCamera FromColmap(const colmap::Camera& camera);
ColmapModel FromColmap(const colmap::Reconstruction& model);

// By way of files in `scratch`, a folder that exists.
std::shared_ptr<colmap::Reconstruction> ToColmap(
    const ColmapModel& model, const std::filesystem::path& scratch);

// The registered images, in the order of their names.
std::vector<colmap::image_t> InOrder(const colmap::Reconstruction& model);

// Is fy equal to fx in all of them?
bool HasSquarePixels(const colmap::Reconstruction& model);

}  // namespace nerfpipe::sfm
