#include "stages/colmap/matching/still_features.h"

#include <algorithm>
#include <cmath>

namespace nerfpipe::sfm {
namespace {

// Of direct neighbours in a walk everything far away may be nearly still.
constexpr int kFewestPlacesApart = 2;
// Shares of the diagonal: of still things, and of those that surely move.
constexpr double kStill = 0.0015;
constexpr double kMoves = 0.006;

double Motion(const Features& first,
              const Features& second,
              const FeatureMatch& match) {
  const Keypoint& a = first.keypoints[match.first];
  const Keypoint& b = second.keypoints[match.second];
  return std::hypot(a.x - b.x, a.y - b.y);
}

struct Shares {
  int still = 0;
  int moving = 0;
};

Shares SharesOf(const MatchedPair& pair,
                const std::vector<Features>& features,
                double diagonal) {
  Shares shares;
  for (const FeatureMatch& match : pair.matches) {
    const double motion =
        Motion(features[pair.first], features[pair.second], match);
    shares.still += motion < kStill * diagonal;
    shares.moving += motion > kMoves * diagonal;
  }
  return shares;
}

// In numbers that are no accident.
constexpr int kFewest = 15;

bool StandsStill(const Shares& shares) {
  constexpr double kLeastShare = 0.2;
  return shares.still >= kFewest &&
         shares.still > kLeastShare * (shares.still + shares.moving);
}

}  // namespace

std::vector<std::vector<bool>> FindStillFeatures(
    const std::vector<MatchedPair>& pairs,
    const std::vector<Features>& features,
    double diagonal) {
  // Of the pairs: where a part stands still, and where another moves as well.
  constexpr double kMostPairs = 0.6;
  constexpr double kSomePairs = 0.15;
  std::vector<std::vector<int>> votes;  // still less moving
  for (const Features& of_image : features) {
    votes.emplace_back(of_image.keypoints.size(), 0);
  }
  int asked = 0;
  int with_still = 0;
  int mixed = 0;
  for (const MatchedPair& pair : pairs) {
    const Shares shares = SharesOf(pair, features, diagonal);
    if (pair.second - pair.first < kFewestPlacesApart ||
        shares.still + shares.moving == 0) {
      continue;
    }
    ++asked;
    with_still += StandsStill(shares);
    mixed += StandsStill(shares) && shares.moving >= kFewest;
    for (const FeatureMatch& match : pair.matches) {
      const double motion =
          Motion(features[pair.first], features[pair.second], match);
      const int vote = motion < kStill * diagonal   ? 1
                       : motion > kMoves * diagonal ? -1
                                                    : 0;
      votes[pair.first][match.first] += vote;
      votes[pair.second][match.second] += vote;
    }
  }
  std::vector<std::vector<bool>> still;
  if (asked == 0 || with_still < kMostPairs * asked ||
      mixed < kSomePairs * asked) {
    return still;
  }
  for (const std::vector<int>& of_image : votes) {
    std::vector<bool>& flags = still.emplace_back(of_image.size());
    std::transform(
        of_image.begin(), of_image.end(), flags.begin(), [](int vote) {
          return vote > 0;
        });
  }
  return still;
}

Features WithoutFeatures(const Features& features,
                         const std::vector<bool>& dropped) {
  Features kept;
  for (size_t i = 0; i < features.keypoints.size(); ++i) {
    if (dropped[i]) continue;
    kept.keypoints.push_back(features.keypoints[i]);
    const uint8_t* descriptor =
        features.descriptors.data() + i * kDescriptorSize;
    kept.descriptors.insert(
        kept.descriptors.end(), descriptor, descriptor + kDescriptorSize);
  }
  return kept;
}

}  // namespace nerfpipe::sfm
