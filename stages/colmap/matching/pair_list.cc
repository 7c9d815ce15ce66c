#include "stages/colmap/matching/pair_list.h"

#include <algorithm>

namespace nerfpipe::sfm {
namespace {

constexpr int kMaxGrid = 150;

bool IsSequential(int distance, int overlap) {
  return distance <= overlap || (distance & (distance - 1)) == 0;
}

}  // namespace

std::vector<ImagePair> ExhaustivePairs(int images) {
  std::vector<ImagePair> pairs;
  for (int i = 0; i < images; ++i) {
    for (int j = i + 1; j < images; ++j) {
      pairs.emplace_back(i, j);
    }
  }
  return pairs;
}

std::vector<ImagePair> NeighbourPairs(int images, int overlap) {
  std::vector<ImagePair> pairs;
  for (int i = 0; i < images; ++i) {
    for (int j = i + 1; j < images && j <= i + overlap; ++j) {
      pairs.emplace_back(i, j);
    }
  }
  return pairs;
}

std::vector<ImagePair> SequentialPairs(int images, int overlap) {
  std::vector<ImagePair> pairs;
  for (int i = 0; i < images; ++i) {
    for (int j = i + 1; j < images; ++j) {
      if (IsSequential(j - i, overlap)) {
        pairs.emplace_back(i, j);
      }
    }
  }
  return pairs;
}

std::vector<ImagePair> LoopCandidates(int images, int overlap) {
  const int stride = std::max(1, (images + kMaxGrid - 1) / kMaxGrid);
  const auto in_grid = [&](int i) {
    return i % stride == 0 || i < overlap || i >= images - overlap;
  };
  std::vector<ImagePair> pairs;
  for (int i = 0; i < images; ++i) {
    for (int j = i + 1; in_grid(i) && j < images; ++j) {
      if (in_grid(j) && !IsSequential(j - i, overlap)) {
        pairs.emplace_back(i, j);
      }
    }
  }
  return pairs;
}

}  // namespace nerfpipe::sfm
