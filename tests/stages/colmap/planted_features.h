#pragma once

// A capture whose features are there already, as if another sitting had found
// them, so that a test says what is seen where.

#include "stages/colmap/features/features.h"
#include "stages/colmap/solution.h"

#include <vector>

namespace nerfpipe::sfm {

// A black picture, of the size of its lens, and the features for each of
// `job.names`.
void PlantFeatures(const SolveJob& job, const std::vector<Features>& features);

}  // namespace nerfpipe::sfm
