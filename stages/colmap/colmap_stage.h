#pragma once

// The stage `colmap`: from kept frames to undistorted images and their
// cameras.

#include "pipeline/engine/stage.h"

#include <memory>

namespace nerfpipe::sfm {

std::unique_ptr<Stage> MakeColmapStage();

}  // namespace nerfpipe::sfm
