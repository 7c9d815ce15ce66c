#include "stages/colmap/refinement/point_colours.h"

#include <array>

namespace nerfpipe::sfm {

void ColourPoints(const std::vector<Features>& features, ColmapModel* model) {
  for (auto& [id, point] : model->points) {
    std::array<size_t, 3> sums = {};
    for (const ColmapPoint::TrackElement& seen : point.track) {
      const Keypoint& keypoint =
          features[seen.image_id - 1].keypoints[seen.observation];
      for (int c = 0; c < 3; ++c) sums[c] += keypoint.rgba[c];
    }
    const size_t count = point.track.size();
    for (int c = 0; c < 3; ++c) {
      point.rgb[c] = static_cast<uint8_t>((sums[c] + count / 2) / count);
    }
  }
}

}  // namespace nerfpipe::sfm
