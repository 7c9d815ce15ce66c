#include "stages/colmap/matching/keyframes.h"

#include <algorithm>

namespace nerfpipe::sfm {

std::vector<int> ChooseKeyframes(int frames,
                                 const std::vector<MatchedPair>& pairs,
                                 int overlap) {
  // Inliers; and of those that the frame shares with the most similar one.
  constexpr size_t kVeryMany = 400;
  constexpr double kLeastShare = 0.45;
  std::vector<std::vector<const MatchedPair*>> onwards(frames);
  for (const MatchedPair& pair : pairs) {
    onwards[pair.first].push_back(&pair);
  }
  std::vector<int> keyframes;
  for (int frame = 0; frame < frames;) {
    keyframes.push_back(frame);
    size_t most = 0;
    for (const MatchedPair* pair : onwards[frame]) {
      most = std::max(most, pair->geometry.inliers.size());
    }
    int next = frame + 1;
    for (const MatchedPair* pair : onwards[frame]) {
      const size_t shared = pair->geometry.inliers.size();
      if (pair->second <= frame + overlap / 2 && shared >= kVeryMany &&
          static_cast<double>(shared) >=
              kLeastShare * static_cast<double>(most)) {
        next = std::max(next, pair->second);
      }
    }
    frame = next;
  }
  if (!keyframes.empty() && keyframes.back() != frames - 1) {
    keyframes.push_back(frames - 1);
  }
  return keyframes;
}

}  // namespace nerfpipe::sfm
