#include "stages/colmap/refinement/triangulation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include <Eigen/Dense>

namespace nerfpipe::sfm {
namespace {

// Rays that take part in forming pairs, spread over all, and pairs tried.
constexpr size_t kMostEnds = 8;
constexpr size_t kMostPairs = 6;

Eigen::Vector3d Direction(const Ray& ray) {
  return (ray.view->rotation.transpose() * ray.seen.homogeneous()).normalized();
}

// The point nearest to both.
std::optional<Eigen::Vector3d> Meet(const Ray& a, const Ray& b) {
  Eigen::Matrix3d normal = Eigen::Matrix3d::Zero();
  Eigen::Vector3d right = Eigen::Vector3d::Zero();
  for (const Ray* ray : {&a, &b}) {
    const Eigen::Vector3d along = Direction(*ray);
    const Eigen::Matrix3d across =
        Eigen::Matrix3d::Identity() - along * along.transpose();
    normal += across;
    right += across * ray->view->Centre();
  }
  const Eigen::Vector3d point = normal.ldlt().solve(right);
  if (!point.allFinite()) return std::nullopt;
  return point;
}

struct PairOfRays {
  size_t first;
  size_t second;
  double cosine;
};

// Widest first.
std::vector<PairOfRays> WidePairs(const std::vector<Ray>& rays,
                                  double max_cosine) {
  const size_t ends = std::min(rays.size(), kMostEnds);
  std::vector<PairOfRays> pairs;
  for (size_t i = 0; i < ends; ++i) {
    for (size_t j = i + 1; j < ends; ++j) {
      const size_t a = i * rays.size() / ends;
      const size_t b = j * rays.size() / ends;
      const double cosine = Direction(rays[a]).dot(Direction(rays[b]));
      if (cosine < max_cosine) pairs.push_back({a, b, cosine});
    }
  }
  std::stable_sort(
      pairs.begin(), pairs.end(), [](const auto& x, const auto& y) {
        return x.cosine < y.cosine;
      });
  pairs.resize(std::min(pairs.size(), kMostPairs));
  return pairs;
}

Triangulation Around(const Eigen::Vector3d& point,
                     const std::vector<Ray>& rays,
                     double max_error) {
  Triangulation result{point, std::vector<bool>(rays.size()), 0};
  for (size_t i = 0; i < rays.size(); ++i) {
    result.belongs[i] = SquaredError(rays[i], point) < max_error * max_error;
    result.rays += result.belongs[i];
  }
  return result;
}

bool IsWide(const Triangulation& found,
            const std::vector<Ray>& rays,
            double max_cosine) {
  std::vector<Eigen::Vector3d> directions;
  for (size_t i = 0; i < rays.size(); ++i) {
    if (found.belongs[i]) {
      directions.push_back((found.point - rays[i].view->Centre()).normalized());
    }
  }
  for (const Eigen::Vector3d& a : directions) {
    for (const Eigen::Vector3d& b : directions) {
      if (a.dot(b) < max_cosine) return true;
    }
  }
  return false;
}

}  // namespace

double SquaredError(const Ray& ray, const Eigen::Vector3d& point) {
  const Eigen::Vector3d p = ray.view->rotation * point + ray.view->translation;
  if (p.z() <= 0) return std::numeric_limits<double>::infinity();
  return ray.view->focal * ray.view->focal *
         (p.hnormalized() - ray.seen).squaredNorm();
}

Eigen::Vector3d RefinePoint(const std::vector<Ray>& rays,
                            double loss_scale,
                            Eigen::Vector3d point) {
  constexpr int kSteps = 5;
  for (int step = 0; step < kSteps; ++step) {
    Eigen::Matrix3d normal = Eigen::Matrix3d::Zero();
    Eigen::Vector3d gradient = Eigen::Vector3d::Zero();
    for (const Ray& ray : rays) {
      const View& view = *ray.view;
      const Eigen::Vector3d p = view.rotation * point + view.translation;
      Eigen::Matrix<double, 2, 3> jacobian;
      jacobian << 1 / p.z(), 0, -p.x() / (p.z() * p.z()),  //
          0, 1 / p.z(), -p.y() / (p.z() * p.z());
      jacobian = view.focal * jacobian * view.rotation;
      const Eigen::Vector2d error = view.focal * (p.hnormalized() - ray.seen);
      const double weight =
          loss_scale > 0
              ? 1 / (1 + error.squaredNorm() / (loss_scale * loss_scale))
              : 1;
      normal += weight * jacobian.transpose() * jacobian;
      gradient += weight * jacobian.transpose() * error;
    }
    const Eigen::Vector3d change = normal.ldlt().solve(gradient);
    if (!change.allFinite()) break;
    point -= change;
  }
  return point;
}

Triangulation Triangulate(const std::vector<Ray>& rays,
                          const TriangulationRules& rules) {
  const double max_cosine = std::cos(rules.min_angle * std::numbers::pi / 180);
  Triangulation best;
  for (const PairOfRays& pair : WidePairs(rays, max_cosine)) {
    const auto point = Meet(rays[pair.first], rays[pair.second]);
    if (!point) continue;
    Triangulation found = Around(*point, rays, rules.max_error);
    if (found.rays > best.rays) best = std::move(found);
    if (best.rays == static_cast<int>(rays.size())) break;
  }
  if (best.rays < 2) return {};
  std::vector<Ray> agreeing;
  for (size_t i = 0; i < rays.size(); ++i) {
    if (best.belongs[i]) agreeing.push_back(rays[i]);
  }
  best = Around(RefinePoint(agreeing, rules.loss_scale, best.point),
                rays,
                rules.max_error);
  if (best.rays < 2 || !IsWide(best, rays, max_cosine)) return {};
  return best;
}

}  // namespace nerfpipe::sfm
