#include "stages/colmap/focal_check.h"

#include "stages/colmap/mapping/lens.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <Eigen/Dense>
#include <Eigen/Geometry>

namespace nerfpipe::sfm {
namespace {

struct Seen {
  Eigen::Vector3d point;
  Eigen::Vector2d xy;
};

// Turn, shift, and the change of the scale.
using Vector7 = Eigen::Matrix<double, 7, 1>;
using Matrix7 = Eigen::Matrix<double, 7, 7>;

Eigen::Matrix3d Cross(const Eigen::Vector3d& v) {
  Eigen::Matrix3d matrix;
  matrix << 0, -v.z(), v.y(), v.z(), 0, -v.x(), -v.y(), v.x(), 0;
  return matrix;
}

class Fit {
 public:
  Fit(const Lens& lens,
      const Eigen::Vector2d& centre,
      const Rigid3& pose,
      const std::vector<Seen>& seen)
      : lens_(lens),
        centre_(centre),
        rotation_(pose.rotation),
        translation_(pose.translation),
        seen_(seen) {}

  OwnFocal Run() {
    constexpr int kSteps = 10;
    Matrix7 normal;
    double weights = 0;
    double squares = 0;
    for (int step = 0; step < kSteps; ++step) {
      normal.setZero();
      weights = squares = 0;
      Vector7 gradient = Vector7::Zero();
      for (const Seen& seen : seen_) {
        const Eigen::Vector3d turned = rotation_ * seen.point;
        const Eigen::Vector3d p = turned + translation_;
        if (p.z() <= 0) continue;
        Lens::Derivatives d;
        const Eigen::Vector2d out = lens_.Project(p, &d) - centre_;
        const Eigen::Vector2d error = centre_ + scale_ * out - seen.xy;
        Eigen::Matrix<double, 2, 7> by;
        by.leftCols<3>() = -scale_ * d.by_point * Cross(turned);
        by.middleCols<3>(3) = scale_ * d.by_point;
        by.col(6) = out;
        const double weight = 1 / (1 + error.squaredNorm());
        normal += weight * by.transpose() * by;
        gradient += weight * by.transpose() * error;
        weights += weight;
        squares += weight * error.squaredNorm();
      }
      const Vector7 change = -normal.ldlt().solve(gradient);
      const Eigen::Vector3d turn = change.head<3>();
      rotation_ =
          Eigen::AngleAxisd(turn.norm(), turn.stableNormalized()) * rotation_;
      translation_ += change.segment<3>(3);
      scale_ += change[6];
    }
    const double variance = squares / (2 * std::max(1e-9, weights));
    return {scale_, std::sqrt(variance * normal.inverse()(6, 6))};
  }

 private:
  const Lens& lens_;
  Eigen::Vector2d centre_;
  Eigen::Matrix3d rotation_;
  Eigen::Vector3d translation_;
  const std::vector<Seen>& seen_;
  double scale_ = 1;
};

}  // namespace

std::map<uint32_t, OwnFocal> OwnFocals(const ColmapModel& model) {
  constexpr size_t kFewest = 30;
  std::map<uint32_t, OwnFocal> focals;
  for (const auto& [id, image] : model.images) {
    const ColmapCamera& camera = model.cameras.at(image.camera_id);
    std::vector<Seen> seen;
    for (const ColmapImage::Observation& observation : image.observations) {
      const auto point = model.points.find(observation.point3d_id);
      if (point == model.points.end()) continue;
      seen.push_back({point->second.xyz, observation.xy});
    }
    if (seen.size() < kFewest) continue;
    const Lens lens(camera.model_id, camera.params);
    // Of a point on the axis.
    const Eigen::Vector2d centre = lens.Project({0, 0, 1});
    focals[id] = Fit(lens, centre, image.camera_from_world, seen).Run();
  }
  return focals;
}

double ShareOfOtherFocals(const ColmapModel& model) {
  constexpr double kOther = 0.03;
  constexpr double kBeyondDoubt = 5;
  const std::map<uint32_t, OwnFocal> focals = OwnFocals(model);
  if (focals.empty()) return 0;
  const auto others =
      std::count_if(focals.begin(), focals.end(), [&](const auto& entry) {
        const double off = std::abs(entry.second.scale - 1);
        return off > kOther && off > kBeyondDoubt * entry.second.deviation;
      });
  return static_cast<double>(others) / static_cast<double>(focals.size());
}

}  // namespace nerfpipe::sfm
