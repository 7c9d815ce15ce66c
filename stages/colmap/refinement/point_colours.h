#pragma once

#include "stages/colmap/features/features.h"
#include "stages/common/colmap_model.h"

#include <vector>

namespace nerfpipe::sfm {

// Gives every point the mean colour of its observations. Images have the number
// of their entry in `features` plus one.
void ColourPoints(const std::vector<Features>& features, ColmapModel* model);

}  // namespace nerfpipe::sfm
