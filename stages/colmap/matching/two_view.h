#pragma once

// What two images have in common: matches, and those that fit one geometry.

#include "stages/colmap/features/features.h"
#include "stages/colmap/matching/descriptor_matcher.h"
#include "stages/common/colmap_model.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <Eigen/Core>

namespace nerfpipe::sfm {

struct TwoView {
  int config = 0;  // COLMAP's TwoViewGeometry::ConfigurationType
  Eigen::Matrix3d essential = Eigen::Matrix3d::Zero();
  Eigen::Matrix3d fundamental = Eigen::Matrix3d::Zero();
  Eigen::Matrix3d homography = Eigen::Matrix3d::Zero();
  std::vector<FeatureMatch> inliers;
};

// `first` and `second` are numbers of images, first < second.
struct MatchedPair {
  int first = 0;
  int second = 0;
  std::vector<FeatureMatch> matches;
  TwoView geometry;
};

// A camera before any solving.
struct CameraPrior {
  ColmapCamera camera;
  bool focal_is_known = false;  // from EXIF, not guessed
};

// The cameras of all images.
struct CameraPriors {
  std::vector<CameraPrior> cameras;  // not empty
  // Place in `cameras` of each image; empty where all images share the first.
  std::vector<int> of_image;

  CameraPriors() = default;
  CameraPriors(CameraPrior shared) : cameras{std::move(shared)} {}

  const CameraPrior& Of(size_t image) const {
    return cameras[of_image.empty() ? 0 : of_image[image]];
  }
};

// RANSAC over the matches, with random numbers that depend on `seed` alone.
TwoView VerifyMatches(const CameraPrior& first_camera,
                      const CameraPrior& second_camera,
                      const Features& first,
                      const Features& second,
                      const std::vector<FeatureMatch>& matches,
                      uint32_t seed);

// Median length in pixels of the way that the inliers went between the two
// images; 0 without inliers.
double MedianMotion(const MatchedPair& pair,
                    const Features& first,
                    const Features& second);

// For files of our own, as SerializeFeatures.
std::string SerializePairs(const std::vector<MatchedPair>& pairs);
std::optional<std::vector<MatchedPair>> ParsePairs(std::string_view bytes);

}  // namespace nerfpipe::sfm
