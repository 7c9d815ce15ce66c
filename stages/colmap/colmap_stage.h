#pragma once

// The stage `colmap`: from kept frames to undistorted images and their
// cameras.

#include "pipeline/engine/stage.h"

#include <memory>
#include <string>

namespace nerfpipe::sfm {

struct ColmapOptions {
  std::string camera_model = "OPENCV";
  std::string matching = "auto";
  int overlap = 10;
  int max_image_size = 1600;
  int max_features = 4096;
  int jpeg_quality = 97;
};

std::unique_ptr<Stage> MakeColmapStage();

}  // namespace nerfpipe::sfm
