#pragma once

// Which frames of a walk are enough to find its shape. Between frames that lie
// close together the others can be registered afterwards, each by itself.

#include "stages/colmap/matching/two_view.h"

#include <vector>

namespace nerfpipe::sfm {

// Of the frames 0 .. `frames` - 1, ascending, the first and the last among
// them: from each the next is the farthest, up to half of `overlap` away, with
// which it still shares very much; the direct neighbour if there is none.
std::vector<int> ChooseKeyframes(int frames,
                                 const std::vector<MatchedPair>& pairs,
                                 int overlap);

}  // namespace nerfpipe::sfm
