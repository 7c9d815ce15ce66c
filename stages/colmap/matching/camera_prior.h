#pragma once

// The cameras of a capture before solving.

#include "stages/colmap/matching/two_view.h"

#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe::sfm {

// `model` is COLMAP's name of a camera model ("OPENCV"). The focal length is
// the first that EXIF of the photos tells, else `focal` in parts of the
// diagonal if it is not 0, else 1.2 times the longer side.
CameraPrior MakeCameraPrior(const std::string& model,
                            int width,
                            int height,
                            double focal,
                            const std::vector<std::filesystem::path>& photos);

// What is known of an image's lens.
struct ImageLens {
  int width = 0;  // pixels
  int height = 0;
  double focal = 0;  // in parts of the diagonal, 0 for unknown
  bool operator==(const ImageLens&) const = default;
};

// Places in groups of one lens each, numbered from 0 in the order of their
// first images: images of one size whose focal lengths are within 3 % of the
// group's first. Those that tell no focal length join the images of their size
// where all that tell one agree.
std::vector<int> GroupByLens(const std::vector<ImageLens>& images);

}  // namespace nerfpipe::sfm
