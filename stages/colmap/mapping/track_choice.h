#pragma once

// Which matches cameras are solved from. Pictures that lie close together share
// far more points than their cameras need, and every one of them is paid for in
// each adjustment: a few hundred, seen from many places and spread over the
// picture, serve as well. The others are found again once the cameras stand.

#include "stages/colmap/features/features.h"
#include "stages/colmap/matching/two_view.h"

#include <vector>

namespace nerfpipe::sfm {

// `pairs` with those inliers only that belong to chosen tracks: the longest
// ones (in images) first, each as long as some part of one of its images has
// few of them. Pairs with few inliers keep them all. `cameras` tell the sizes
// of the images. Neither matches nor the order of anything change.
std::vector<MatchedPair> WithChosenTracks(const std::vector<MatchedPair>& pairs,
                                          const std::vector<Features>& features,
                                          const CameraPriors& cameras);

}  // namespace nerfpipe::sfm
