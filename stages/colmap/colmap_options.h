#pragma once

// Options of the stage `colmap`.

#include <string>

namespace nerfpipe::sfm {

struct ColmapOptions {
  std::string camera_model = "auto";
  std::string matching = "auto";
  int overlap = 10;
  int max_image_size = 1600;
  int max_features = 4096;
  int jpeg_quality = 97;
  bool accept_bad = false;
};

}  // namespace nerfpipe::sfm
