#include "stages/colmap/mapping/lens.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <Eigen/LU>

namespace nerfpipe::sfm {
namespace {

struct Layout {
  std::vector<int> free;
  int source[6];  // of fx, fy, k1, k2, p1, p2
  int principal_point;
};

const Layout& LayoutOf(int model_id, bool square_pixels) {
  static const Layout layouts[] = {{{0}, {0, 0, -1, -1, -1, -1}, 1},
                                   {{0, 1}, {0, 1, -1, -1, -1, -1}, 2},
                                   {{0, 3}, {0, 0, 1, -1, -1, -1}, 1},
                                   {{0, 3, 4}, {0, 0, 1, 2, -1, -1}, 1},
                                   {{0, 1, 4, 5, 6, 7}, {0, 1, 2, 3, 4, 5}, 2}};
  static const Layout tied[] = {{{0}, {0, 0, -1, -1, -1, -1}, 2},
                                {{0, 4, 5, 6, 7}, {0, 0, 1, 2, 3, 4}, 2}};
  if (model_id == kRadialFisheye) return layouts[kRadial];
  NERFPIPE_CHECK(model_id >= 0 && model_id < 5);
  if (square_pixels && HasTwoFocals(model_id)) return tied[model_id == kOpenCv];
  return layouts[model_id];
}

}  // namespace

bool HasTwoFocals(int model_id) {
  return model_id == kPinhole || model_id == kOpenCv;
}

Lens::Lens(int model_id, std::vector<double> params, bool square_pixels)
    : params_(std::move(params)),
      tied_(square_pixels && HasTwoFocals(model_id)),
      fisheye_(model_id == kRadialFisheye) {
  const Layout& layout = LayoutOf(model_id, square_pixels);
  if (tied_) params_[0] = params_[1] = (params_.at(0) + params_.at(1)) / 2;
  free_ = layout.free;
  std::copy_n(layout.source, 6, source_);
  cx_ = params_.at(layout.principal_point);
  cy_ = params_.at(layout.principal_point + 1);
  Spread();
}

void Lens::Spread() {
  const auto value = [&](int i) {
    return source_[i] < 0 ? 0 : params_.at(free_[source_[i]]);
  };
  fx_ = value(0);
  fy_ = value(1);
  k1_ = value(2);
  k2_ = value(3);
  p1_ = value(4);
  p2_ = value(5);
}

void Lens::Change(const Eigen::VectorXd& by) {
  for (int i = 0; i < Free(); ++i) params_[free_[i]] += by[i];
  if (tied_) params_[1] = params_[0];
  Spread();
}

Eigen::Vector2d Lens::Project(const Eigen::Vector3d& p) const {
  const double u = p.x() / p.z();
  const double v = p.y() / p.z();
  if (fisheye_) return ProjectFisheye(u, v);
  const double r2 = u * u + v * v;
  const double radial = 1 + r2 * (k1_ + r2 * k2_);
  return {fx_ * (u * radial + 2 * p1_ * u * v + p2_ * (r2 + 2 * u * u)) + cx_,
          fy_ * (v * radial + 2 * p2_ * u * v + p1_ * (r2 + 2 * v * v)) + cy_};
}

Eigen::Vector2d Lens::Project(const Eigen::Vector3d& p, Derivatives* d) const {
  if (fisheye_) return ProjectFisheye(p, d);
  const double w = 1 / p.z();
  const double u = p.x() * w;
  const double v = p.y() * w;
  const double r2 = u * u + v * v;
  const double radial = 1 + r2 * (k1_ + r2 * k2_);
  const double slope = 2 * (k1_ + 2 * r2 * k2_);  // of radial, by r2, twice
  const double x = u * radial + 2 * p1_ * u * v + p2_ * (r2 + 2 * u * u);
  const double y = v * radial + 2 * p2_ * u * v + p1_ * (r2 + 2 * v * v);
  const double xu = radial + u * u * slope + 2 * p1_ * v + 6 * p2_ * u;
  const double xv = u * v * slope + 2 * p1_ * u + 2 * p2_ * v;
  const double yu = u * v * slope + 2 * p2_ * v + 2 * p1_ * u;
  const double yv = radial + v * v * slope + 2 * p2_ * u + 6 * p1_ * v;
  d->by_point << fx_ * xu * w, fx_ * xv * w, -fx_ * (xu * u + xv * v) * w,
      fy_ * yu * w, fy_ * yv * w, -fy_ * (yu * u + yv * v) * w;
  const Eigen::Vector2d by[6] = {{x, 0},
                                 {0, y},
                                 {fx_ * u * r2, fy_ * v * r2},
                                 {fx_ * u * r2 * r2, fy_ * v * r2 * r2},
                                 {fx_ * 2 * u * v, fy_ * (r2 + 2 * v * v)},
                                 {fx_ * (r2 + 2 * u * u), fy_ * 2 * u * v}};
  d->by_lens.setZero();
  for (int i = 0; i < 6; ++i) {
    if (source_[i] >= 0) d->by_lens.col(source_[i]) += by[i];
  }
  return {fx_ * x + cx_, fy_ * y + cy_};
}

namespace {

// The angle from the axis, bent, over its tangent, and what changes it.
struct BentAngle {
  double over_tangent;
  double slope;         // by the square of the tangent, twice
  double by_k1, by_k2;  // of over_tangent
};

BentAngle Bend(double tangent, double k1, double k2) {
  constexpr double kOnTheAxis = 1e-8;
  if (tangent < kOnTheAxis) return {1, 2 * (k1 - 1.0 / 3), 0, 0};
  const double angle = std::atan(tangent);
  const double a2 = angle * angle;
  const double bent = angle * (1 + a2 * (k1 + a2 * k2));
  const double by_tangent =
      (1 + a2 * (3 * k1 + a2 * 5 * k2)) / (1 + tangent * tangent);
  return {bent / tangent,
          (by_tangent - bent / tangent) / (tangent * tangent),
          angle * a2 / tangent,
          angle * a2 * a2 / tangent};
}

}  // namespace

Eigen::Vector2d Lens::ProjectFisheye(double u, double v) const {
  const double scale = Bend(std::hypot(u, v), k1_, k2_).over_tangent;
  return {fx_ * u * scale + cx_, fy_ * v * scale + cy_};
}

Eigen::Vector2d Lens::ProjectFisheye(const Eigen::Vector3d& p,
                                     Derivatives* d) const {
  const double w = 1 / p.z();
  const double u = p.x() * w;
  const double v = p.y() * w;
  const BentAngle bent = Bend(std::hypot(u, v), k1_, k2_);
  const double s = bent.over_tangent;
  const double xu = s + u * u * bent.slope;
  const double xv = u * v * bent.slope;
  const double yv = s + v * v * bent.slope;
  d->by_point << fx_ * xu * w, fx_ * xv * w, -fx_ * (xu * u + xv * v) * w,
      fy_ * xv * w, fy_ * yv * w, -fy_ * (xv * u + yv * v) * w;
  d->by_lens.setZero();
  d->by_lens.col(0) << u * s, v * s;
  d->by_lens.col(1) << fx_ * u * bent.by_k1, fy_ * v * bent.by_k1;
  d->by_lens.col(2) << fx_ * u * bent.by_k2, fy_ * v * bent.by_k2;
  return {fx_ * u * s + cx_, fy_ * v * s + cy_};
}

double AspectDeviation(const std::vector<Lens>& lenses,
                       const Eigen::MatrixXd& information) {
  const Eigen::MatrixXd covariance = information.inverse();
  double most = 0;
  Eigen::Index first = 0;
  for (const Lens& lens : lenses) {
    if (!lens.IsSquare()) {
      const double fx = lens.Params()[0];
      const double fy = lens.Params()[1];
      const Eigen::Vector2d by(-fy / (fx * fx), 1 / fx);
      const double variance = by.dot(covariance.block<2, 2>(first, first) * by);
      most = variance >= 0 ? std::max(most, std::sqrt(variance))
                           : std::numeric_limits<double>::infinity();
    }
    first += lens.Free();
  }
  return most;
}

}  // namespace nerfpipe::sfm
