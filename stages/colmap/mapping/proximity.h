#pragma once

// Which images show the same place, by a model that stands already.

#include "stages/colmap/matching/pair_list.h"
#include "stages/common/colmap_model.h"

#include <string>
#include <vector>

namespace nerfpipe::sfm {

// Pairs of images more than `overlap` places apart that see a third of each
// other's points or more, from directions less than 40 degrees apart; for each
// image its best ten. Numbers are places in `names`.
std::vector<ImagePair> PairsByProximity(const ColmapModel& model,
                                        const std::vector<std::string>& names,
                                        int overlap);

}  // namespace nerfpipe::sfm
