#pragma once

// Lenses for the tests of undistortion, and their projection written out.

#include "stages/common/colmap_model.h"

#include <vector>

namespace nerfpipe::sfm {

inline constexpr int kOpenCv = 4;

// fx, fy, cx, cy, k1, k2, p1, p2
inline ColmapCamera OpenCvCamera(std::vector<double> params) {
  return {kOpenCv, 723, 1277, std::move(params)};
}

inline ColmapCamera BarrelCamera() {
  return OpenCvCamera({1100, 1163, 371.4, 622.7, -0.12, 0.03, 0.0006, -0.0009});
}

// The OPENCV model written out: Brown's distortion, then focal lengths.
inline Eigen::Vector2d DistortedProjection(const ColmapCamera& camera,
                                           const Eigen::Vector2d& ray) {
  const std::vector<double>& p = camera.params;
  const double u = ray.x(), v = ray.y();
  const double r2 = u * u + v * v;
  const double radial = p[4] * r2 + p[5] * r2 * r2;
  const double du = u * radial + 2 * p[6] * u * v + p[7] * (r2 + 2 * u * u);
  const double dv = v * radial + 2 * p[7] * u * v + p[6] * (r2 + 2 * v * v);
  return {p[0] * (u + du) + p[2], p[1] * (v + dv) + p[3]};
}

inline bool Inside(const ColmapCamera& camera, const Eigen::Vector2d& p) {
  return p.x() >= 0.5 - 1e-5 && p.y() >= 0.5 - 1e-5 &&
         p.x() <= camera.width - 0.5 + 1e-5 &&
         p.y() <= camera.height - 0.5 + 1e-5;
}

inline Eigen::Vector2d Ray(const Pinhole& pinhole, double x, double y) {
  return {(x - pinhole.cx) / pinhole.fx, (y - pinhole.cy) / pinhole.fy};
}

}  // namespace nerfpipe::sfm
