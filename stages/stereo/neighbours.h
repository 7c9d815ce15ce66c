#pragma once

// Which other views are worth comparing a view with.

#include "stages/stereo/stereo_view.h"

#include <vector>

namespace nerfpipe::stereo {

// For each view at most `most` others, best first: those that share many points
// with it, seen from about as far and at an angle that tells depth (4 to 16
// degrees count in full). Where nothing is known of points, those whose centres
// and directions are alike take their place.
std::vector<std::vector<int>> ChooseNeighbours(const std::vector<View>& views,
                                               int most,
                                               int threads);

}  // namespace nerfpipe::stereo
