#pragma once

// Things that stay where they are in the picture while others move: the room
// behind a turntable or a held object, a date stamp, a thumb on the lens. To
// the cameras that are to be solved they are wrong.

#include "stages/colmap/features/features.h"
#include "stages/colmap/matching/two_view.h"

#include <vector>

namespace nerfpipe::sfm {

// For every image, whether each feature stands still. Empty when the pictures
// have no considerable part that does, or nothing moves at all. `diagonal` of
// the images in pixels.
std::vector<std::vector<bool>> FindStillFeatures(
    const std::vector<MatchedPair>& pairs,
    const std::vector<Features>& features,
    double diagonal);

// The features whose entry is false.
Features WithoutFeatures(const Features& features,
                         const std::vector<bool>& dropped);

}  // namespace nerfpipe::sfm
