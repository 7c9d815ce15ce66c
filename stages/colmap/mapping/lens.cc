#include "stages/colmap/mapping/lens.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <utility>

namespace nerfpipe::sfm {
namespace {

struct Layout {
  std::vector<int> free;
  int source[6];  // of fx, fy, k1, k2, p1, p2
  int principal_point;
};

const Layout& LayoutOf(int model_id) {
  static const Layout layouts[] = {{{0}, {0, 0, -1, -1, -1, -1}, 1},
                                   {{0, 1}, {0, 1, -1, -1, -1, -1}, 2},
                                   {{0, 3}, {0, 0, 1, -1, -1, -1}, 1},
                                   {{0, 3, 4}, {0, 0, 1, 2, -1, -1}, 1},
                                   {{0, 1, 4, 5, 6, 7}, {0, 1, 2, 3, 4, 5}, 2}};
  NERFPIPE_CHECK(model_id >= 0 && model_id < 5);
  return layouts[model_id];
}

}  // namespace

Lens::Lens(int model_id, std::vector<double> params)
    : params_(std::move(params)) {
  const Layout& layout = LayoutOf(model_id);
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
  Spread();
}

Eigen::Vector2d Lens::Project(const Eigen::Vector3d& p) const {
  const double u = p.x() / p.z();
  const double v = p.y() / p.z();
  const double r2 = u * u + v * v;
  const double radial = 1 + r2 * (k1_ + r2 * k2_);
  return {fx_ * (u * radial + 2 * p1_ * u * v + p2_ * (r2 + 2 * u * u)) + cx_,
          fy_ * (v * radial + 2 * p2_ * u * v + p1_ * (r2 + 2 * v * v)) + cy_};
}

Eigen::Vector2d Lens::Project(const Eigen::Vector3d& p, Derivatives* d) const {
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

}  // namespace nerfpipe::sfm
