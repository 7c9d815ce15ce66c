#pragma once

// Matching again where the geometry between two images is known: among the few
// features that lie where it allows, one that looks much like others elsewhere
// is still told apart.

#include "stages/colmap/features/features.h"
#include "stages/colmap/matching/two_view.h"

#include <vector>

namespace nerfpipe::sfm {

// Matches within `max_error` pixels of the pair's geometry: of the epipolar
// line, or of the place to which a homography takes the feature. None for a
// pair without a geometry.
std::vector<FeatureMatch> MatchGuided(const TwoView& geometry,
                                      const Features& first,
                                      const Features& second,
                                      double max_error = 4);

}  // namespace nerfpipe::sfm
