#include "stages/colmap/refinement/halves.h"

#include "pipeline/base/median.h"
#include "stages/colmap/mapping/bundle_adjustment.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <Eigen/Geometry>

namespace nerfpipe::sfm {
namespace {

// Every other point, beginning with the first or the second.
colmap::Reconstruction HalfOf(const colmap::Reconstruction& model, bool first) {
  std::vector<colmap::point3D_t> points;
  for (const auto& [id, point] : model.Points3D()) points.push_back(id);
  std::sort(points.begin(), points.end());
  colmap::Reconstruction half = model;
  for (size_t i = first ? 1 : 0; i < points.size(); i += 2) {
    half.DeletePoint3D(points[i]);
  }
  return half;
}

Eigen::Matrix3Xd CentresOf(const std::vector<colmap::image_t>& ids,
                           const colmap::Reconstruction& model) {
  Eigen::Matrix3Xd centres(3, static_cast<Eigen::Index>(ids.size()));
  for (size_t i = 0; i < ids.size(); ++i) {
    centres.col(static_cast<Eigen::Index>(i)) =
        model.Image(ids[i]).ProjectionCenter();
  }
  return centres;
}

double RadiusOf(const Eigen::Matrix3Xd& centres) {
  Eigen::Vector3d middle;
  for (int axis = 0; axis < 3; ++axis) {
    const Eigen::VectorXd row = centres.row(axis);
    middle[axis] = UpperMedian({row.begin(), row.end()});
  }
  const Eigen::VectorXd distances =
      (centres.colwise() - middle).colwise().norm();
  return UpperMedian({distances.begin(), distances.end()});
}

}  // namespace

std::map<colmap::image_t, double> DeviationOfHalves(
    const AdjustmentOptions& options, const colmap::Reconstruction& model) {
  constexpr size_t kFewest = 4;
  std::vector<colmap::image_t> ids = model.RegImageIds();
  std::sort(ids.begin(), ids.end());
  if (ids.size() < kFewest || model.NumPoints3D() < kFewest) return {};
  Eigen::Matrix3Xd places[2];
  for (const bool first : {true, false}) {
    colmap::Reconstruction half = HalfOf(model, first);
    AdjustBundle(options, &half);
    places[first] = CentresOf(ids, half);
  }
  const Eigen::Matrix4d onto = Eigen::umeyama(places[0], places[1]);
  const Eigen::Matrix3Xd moved =
      (onto.topLeftCorner<3, 3>() * places[0]).colwise() +
      onto.topRightCorner<3, 1>().eval();
  const double radius = RadiusOf(places[1]);
  std::map<colmap::image_t, double> deviations;
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto column = static_cast<Eigen::Index>(i);
    const double apart = (moved.col(column) - places[1].col(column)).norm();
    const double deviation = apart / (2 * radius);
    deviations[ids[i]] = std::isfinite(deviation)
                             ? deviation
                             : std::numeric_limits<double>::infinity();
  }
  return deviations;
}

}  // namespace nerfpipe::sfm
