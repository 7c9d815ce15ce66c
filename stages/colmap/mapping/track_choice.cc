#include "stages/colmap/mapping/track_choice.h"

#include "stages/colmap/matching/track_forest.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace nerfpipe::sfm {
namespace {

// Of the picture's longer and shorter side.
constexpr int kCellsAlong = 12;
constexpr int kCellsAcross = 8;
constexpr int kPerCell = 8;
// An image that has fewer in a cell is served even where the others that see
// the point have enough.
constexpr int kPerCellAtLeast = 3;
// A pair with fewer is not thinned: COLMAP asks for 15 to believe in one.
constexpr size_t kFewInliers = 40;

struct Node {
  uint32_t root;
  int image;
  int cell;  // of all cells of all images
};

// Of the features in tracks of two and more, track by track.
std::vector<Node> NodesInTracks(const std::vector<Features>& features,
                                const CameraPriors& cameras,
                                TrackForest* forest) {
  std::vector<Node> nodes;
  for (size_t image = 0; image < features.size(); ++image) {
    const ColmapCamera& camera = cameras.Of(image).camera;
    const bool wide = camera.width >= camera.height;
    const int columns = wide ? kCellsAlong : kCellsAcross;
    const int rows = wide ? kCellsAcross : kCellsAlong;
    for (int i = 0; i < features[image].Count(); ++i) {
      const Keypoint& point = features[image].keypoints[i];
      const auto place = [](float at, int64_t length, int cells) {
        return std::clamp(static_cast<int>(at * static_cast<float>(cells) /
                                           static_cast<float>(length)),
                          0,
                          cells - 1);
      };
      const int cell = place(point.y, camera.height, rows) * columns +
                       place(point.x, camera.width, columns);
      nodes.push_back({forest->Root(forest->Node(image, i)),
                       static_cast<int>(image),
                       static_cast<int>(image) * columns * rows + cell});
    }
  }
  std::stable_sort(
      nodes.begin(), nodes.end(), [](const Node& a, const Node& b) {
        return a.root < b.root;
      });
  return nodes;
}

struct Track {
  size_t begin;  // of its nodes
  size_t end;
  int images;
};

// Longest first. Nodes are in the order of their images within a track.
std::vector<Track> TracksOf(const std::vector<Node>& nodes) {
  std::vector<Track> tracks;
  for (size_t begin = 0; begin < nodes.size();) {
    size_t end = begin;
    int images = 0;
    for (; end < nodes.size() && nodes[end].root == nodes[begin].root; ++end) {
      images += end == begin || nodes[end].image != nodes[end - 1].image;
    }
    if (images > 1) tracks.push_back({begin, end, images});
    begin = end;
  }
  std::stable_sort(
      tracks.begin(), tracks.end(), [](const Track& a, const Track& b) {
        return a.images > b.images;
      });
  return tracks;
}

// By root, whether the track is chosen.
std::vector<bool> ChosenRoots(const std::vector<Node>& nodes,
                              size_t images,
                              size_t roots) {
  std::vector<bool> chosen(roots);
  std::vector<int> in_cell(images * kCellsAlong * kCellsAcross);
  for (const Track& track : TracksOf(nodes)) {
    const auto begin = nodes.begin() + static_cast<long>(track.begin);
    const auto end = nodes.begin() + static_cast<long>(track.end);
    const auto below = [&](int wanted) {
      return std::count_if(begin, end, [&](const Node& node) {
        return in_cell[node.cell] < wanted;
      });
    };
    if (2 * below(kPerCell) < end - begin && below(kPerCellAtLeast) == 0) {
      continue;
    }
    chosen[begin->root] = true;
    std::for_each(begin, end, [&](const Node& node) { ++in_cell[node.cell]; });
  }
  return chosen;
}

}  // namespace

std::vector<MatchedPair> WithChosenTracks(const std::vector<MatchedPair>& pairs,
                                          const std::vector<Features>& features,
                                          const CameraPriors& cameras) {
  TrackForest forest(features);
  for (const MatchedPair& pair : pairs) {
    for (const FeatureMatch& match : pair.geometry.inliers) {
      forest.Join(forest.Node(pair.first, match.first),
                  forest.Node(pair.second, match.second));
    }
  }
  const std::vector<bool> chosen =
      ChosenRoots(NodesInTracks(features, cameras, &forest),
                  features.size(),
                  forest.Nodes());
  std::vector<MatchedPair> result;
  for (const MatchedPair& pair : pairs) {
    MatchedPair thinned{pair.first, pair.second, {}, pair.geometry};
    std::vector<FeatureMatch>& inliers = thinned.geometry.inliers;
    std::erase_if(inliers, [&](const FeatureMatch& match) {
      return !chosen[forest.Root(forest.Node(pair.first, match.first))];
    });
    if (inliers.size() < kFewInliers) inliers = pair.geometry.inliers;
    result.push_back(std::move(thinned));
  }
  return result;
}

}  // namespace nerfpipe::sfm
