#pragma once

// One point from the rays along which images with known cameras see it.

#include <vector>

#include <Eigen/Core>

namespace nerfpipe::sfm {

// camera_from_world, COLMAP axes.
struct View {
  Eigen::Matrix3d rotation;
  Eigen::Vector3d translation;
  double focal = 1;  // pixels

  Eigen::Vector3d Centre() const { return -rotation.transpose() * translation; }
};

struct Ray {
  const View* view = nullptr;
  Eigen::Vector2d seen;  // at depth 1
};

struct TriangulationRules {
  double max_error = 4;    // pixels, of a ray that belongs to the point
  double min_angle = 1.5;  // degrees, the widest between two of its rays
  double loss_scale = 0;   // pixels: rays beyond count ever less (Cauchy)
};

// Squared pixels between the ray and the point; infinite when the point is
// behind the camera.
double SquaredError(const Ray& ray, const Eigen::Vector3d& point);

// The point where the rays' errors are least: some steps of Gauss and Newton
// from `point`.
Eigen::Vector3d RefinePoint(const std::vector<Ray>& rays,
                            double loss_scale,
                            Eigen::Vector3d point);

struct Triangulation {
  Eigen::Vector3d point = Eigen::Vector3d::Zero();
  std::vector<bool> belongs;  // ray by ray; none when there is no point
  int rays = 0;               // that belong
};

// The point on which the most rays agree, of those that the pairs of rays with
// the widest angles make. Deterministic.
Triangulation Triangulate(const std::vector<Ray>& rays,
                          const TriangulationRules& rules);

}  // namespace nerfpipe::sfm
