#pragma once

// Our plain structs as COLMAP's types. Included by .cc files of this folder
// only.

#include "stages/colmap/matching/descriptor_matcher.h"
#include "stages/colmap/matching/two_view.h"
#include "stages/common/colmap_model.h"

#include <vector>

#include <colmap/feature/types.h>
#include <colmap/scene/camera.h>

namespace nerfpipe::sfm {

inline colmap::Camera ToColmap(const ColmapCamera& camera) {
  colmap::Camera result;
  result.camera_id = 1;
  result.model_id = static_cast<colmap::CameraModelId>(camera.model_id);
  result.width = static_cast<size_t>(camera.width);
  result.height = static_cast<size_t>(camera.height);
  result.params = camera.params;
  return result;
}

inline colmap::Camera ToColmap(const CameraPrior& prior) {
  colmap::Camera result = ToColmap(prior.camera);
  result.has_prior_focal_length = prior.focal_is_known;
  return result;
}

inline colmap::FeatureMatches ToColmap(
    const std::vector<FeatureMatch>& matches) {
  colmap::FeatureMatches result;
  result.reserve(matches.size());
  for (const FeatureMatch& m : matches) {
    result.emplace_back(m.first, m.second);
  }
  return result;
}

}  // namespace nerfpipe::sfm
