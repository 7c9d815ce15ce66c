#pragma once

// Which views of a capture are compared with each other, and what hangs
// together by that.

#include "stages/capture/view_pairs.h"

#include <cstddef>
#include <string>
#include <vector>

namespace nerfpipe {

// Two views as numbers in the order of the kept frames, first < second.
struct ComparedPair {
  size_t first = 0;
  size_t second = 0;
  ViewPair common = {};
  // Of views that are known to hang together by others: chosen to see how far
  // the camera moves in all.
  bool far = false;
};

// Matches enough to make it likely that the two are found to be of one place.
bool HangTogether(const ViewPair& common);

// Compares the pairs that ReportCard wants. `clips` says of each view which
// clip it is from: compared are neighbours in a clip, views some frames apart,
// further apart where the camera hardly moves in between, the end of a clip
// with its beginning, and clips with each other. Of photos, which have no
// order, `clips` is empty: compared are those that look most alike, and some of
// those that look less so.
std::vector<ComparedPair> CompareCapture(const std::vector<ViewPoints>& views,
                                         const std::vector<std::string>& clips,
                                         int threads);

// Views some frames apart are so many frames apart.
inline constexpr size_t kStride = 5;

// Sets of `count` views that hang together, the largest first, each ascending.
std::vector<std::vector<size_t>> Parts(size_t count,
                                       const std::vector<ComparedPair>& pairs);

}  // namespace nerfpipe
