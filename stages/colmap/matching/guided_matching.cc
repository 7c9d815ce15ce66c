#include "stages/colmap/matching/guided_matching.h"

#include <cstdint>

#include <Eigen/Geometry>
#include <colmap/scene/two_view_geometry.h>

namespace nerfpipe::sfm {
namespace {

using Places = Eigen::Matrix<float, 2, Eigen::Dynamic>;
using Errors = Eigen::Array<float, 1, Eigen::Dynamic>;

Places PlacesOf(const Features& features) {
  Places places(2, features.Count());
  for (int i = 0; i < features.Count(); ++i) {
    places.col(i) << features.keypoints[i].x, features.keypoints[i].y;
  }
  return places;
}

// Squared pixels of each place from the line of points x with line . (x, 1) =
// 0.
Errors FromLine(const Eigen::Vector3f& line, const Places& places) {
  const Eigen::Vector3f unit = line / line.head<2>().norm();
  return ((unit.head<2>().transpose() * places).array() + unit.z()).square();
}

Errors FromPoint(const Eigen::Vector3f& point, const Places& places) {
  return (places.colwise() - Eigen::Vector2f(point.hnormalized()))
      .colwise()
      .squaredNorm()
      .array();
}

}  // namespace

std::vector<FeatureMatch> MatchGuided(const TwoView& geometry,
                                      const Features& first,
                                      const Features& second,
                                      double max_error) {
  using Configuration = colmap::TwoViewGeometry::ConfigurationType;
  bool by_line = false;
  switch (geometry.config) {
    case Configuration::CALIBRATED:
    case Configuration::UNCALIBRATED:
      by_line = true;
      break;
    case Configuration::PLANAR:
    case Configuration::PANORAMIC:
    case Configuration::PLANAR_OR_PANORAMIC:
      break;
    default:
      return {};
  }
  const Eigen::Matrix3f transfer =
      (by_line ? geometry.fundamental : geometry.homography).cast<float>();
  const Places places = PlacesOf(second);
  const auto limit = static_cast<float>(max_error * max_error);
  std::vector<std::vector<uint32_t>> candidates(first.Count());
  for (int i = 0; i < first.Count(); ++i) {
    const Eigen::Vector3f place(
        first.keypoints[i].x, first.keypoints[i].y, 1.0f);
    const Errors errors = by_line ? FromLine(transfer * place, places)
                                  : FromPoint(transfer * place, places);
    for (int j = 0; j < second.Count(); ++j) {
      if (errors[j] < limit) {
        candidates[i].push_back(static_cast<uint32_t>(j));
      }
    }
  }
  return MatchAmong(first.descriptors, second.descriptors, candidates);
}

}  // namespace nerfpipe::sfm
