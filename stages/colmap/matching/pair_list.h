#pragma once

// Which images are matched with which. Images are numbered in the order of
// the capture; in a pair the lower number stands first.

#include <utility>
#include <vector>

namespace nerfpipe::sfm {

using ImagePair = std::pair<int, int>;

// All n (n - 1) / 2.
std::vector<ImagePair> ExhaustivePairs(int images);

// Each image with the `overlap` that follow it. Ordered, each once.
std::vector<ImagePair> NeighbourPairs(int images, int overlap);

// Those, and each image with the ones a power of two places on. Ordered, each
// once.
std::vector<ImagePair> SequentialPairs(int images, int overlap);

// Pairs where the camera may have come back to the same place: everything
// that is not sequential, over a grid of every s-th image (s = 1 up to 150
// images, then growing, so that there are never more than some 11 000). The
// first and the last images are all in the grid, for the end of an orbit.
std::vector<ImagePair> LoopCandidates(int images, int overlap);

}  // namespace nerfpipe::sfm
