#include "stages/colmap/mapping/bundle_adjustment.h"

#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "stages/colmap/mapping/lens.h"
#include "stages/colmap/mapping/reduced_system.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include <Eigen/Dense>

namespace nerfpipe::sfm {
namespace {

using Matrix63 = Eigen::Matrix<double, 6, 3>;

// Sums are made in as many parts, whatever the number of threads.
constexpr int kParts = 4;

struct Observation {
  int camera;
  Eigen::Vector2d xy;
};

struct Pose {
  Eigen::Quaterniond rotation;
  Eigen::Vector3d translation;
  int lens = 0;
};

// What is adjusted.
struct State {
  std::vector<Lens> lenses;
  std::vector<Pose> poses;
  std::vector<Eigen::Vector3d> points;
};

// Derivatives of one observation, times the root of its weight.
struct Linear {
  Eigen::Vector2d error;
  Eigen::Matrix<double, 2, 6> by_camera;  // turn, then shift
  Eigen::Matrix<double, 2, 3> by_point;
  Eigen::Matrix<double, 2, Lens::kMaxFree> by_lens;
};

Eigen::Matrix3d Cross(const Eigen::Vector3d& v) {
  Eigen::Matrix3d matrix;
  matrix << 0, -v.z(), v.y(), v.z(), 0, -v.x(), -v.y(), v.x(), 0;
  return matrix;
}

class Adjuster {
 public:
  Adjuster(const AdjustmentOptions& options, colmap::Reconstruction* model);
  AdjustmentResult Run();
  void Write() const;

 private:
  double AspectDeviationOf(double damping);
  double LossOf(double squared) const;
  double WeightOf(double squared) const;
  Linear Linearize(const Observation& seen, const Eigen::Vector3d& point) const;
  // Infinite when a point comes behind a camera that sees it.
  double CostOf(const State& state) const;
  void ReduceBy(size_t point, ReducedSystem* part);
  void Reduce(double damping);
  Eigen::Vector3d PointStep(size_t point, const CameraStep& step) const;
  State Moved(const CameraStep& step) const;
  template <typename Body>
  void ForEachPart(const Body& body) const;

  const AdjustmentOptions options_;
  colmap::Reconstruction* model_;
  State state_;
  std::vector<colmap::camera_t> camera_ids_;  // of the lenses
  std::vector<int> free_;                     // parameters of each lens
  std::vector<colmap::image_t> image_ids_;
  std::vector<colmap::point3D_t> point_ids_;
  std::vector<size_t> first_;  // observation of each point, and the end
  std::vector<Observation> observations_;
  PairTable pairs_;
  double damping_ = 0;  // of the equations that stand
  std::array<ReducedSystem, kParts> parts_;
};

Adjuster::Adjuster(const AdjustmentOptions& options,
                   colmap::Reconstruction* model)
    : options_(options),
      model_(model),
      image_ids_(model->RegImageIds()),
      pairs_(model->NumRegImages()) {
  std::map<colmap::camera_t, int> lenses;
  for (const colmap::image_t id : image_ids_) {
    lenses.emplace(model->Image(id).CameraId(), 0);
  }
  for (auto& [id, place] : lenses) {
    place = static_cast<int>(state_.lenses.size());
    camera_ids_.push_back(id);
    const colmap::Camera& camera = model->Camera(id);
    state_.lenses.emplace_back(static_cast<int>(camera.model_id),
                               camera.params,
                               options.square_pixels);
    free_.push_back(state_.lenses.back().Free());
  }
  std::map<colmap::image_t, int> places;
  for (const colmap::image_t id : image_ids_) {
    places[id] = static_cast<int>(state_.poses.size());
    const colmap::Image& image = model->Image(id);
    const colmap::Rigid3d& pose = image.CamFromWorld();
    state_.poses.push_back(
        {pose.rotation, pose.translation, lenses.at(image.CameraId())});
  }
  for (const auto& [id, point] : model->Points3D()) point_ids_.push_back(id);
  std::sort(point_ids_.begin(), point_ids_.end());
  for (const colmap::point3D_t id : point_ids_) {
    const colmap::Point3D& point = model->Point3D(id);
    state_.points.push_back(point.xyz);
    first_.push_back(observations_.size());
    for (const colmap::TrackElement& seen : point.track.Elements()) {
      observations_.push_back(
          {places.at(seen.image_id),
           model->Image(seen.image_id).Point2D(seen.point2D_idx).xy});
    }
    for (size_t i = first_.back(); i < observations_.size(); ++i) {
      for (size_t j = first_.back(); j <= i; ++j) {
        const int a = observations_[i].camera;
        const int b = observations_[j].camera;
        pairs_.Add(std::max(a, b), std::min(a, b));
      }
    }
  }
  first_.push_back(observations_.size());
  // Damping needs a diagonal even where no point is seen.
  for (size_t i = 0; i < image_ids_.size(); ++i) {
    pairs_.Add(static_cast<int>(i), static_cast<int>(i));
  }
}

double Adjuster::LossOf(double squared) const {
  const double scale = options_.loss_scale * options_.loss_scale;
  return scale > 0 ? scale * std::log1p(squared / scale) : squared;
}

double Adjuster::WeightOf(double squared) const {
  const double scale = options_.loss_scale * options_.loss_scale;
  return scale > 0 ? 1 / (1 + squared / scale) : 1;
}

Linear Adjuster::Linearize(const Observation& seen,
                           const Eigen::Vector3d& point) const {
  const Pose& pose = state_.poses[seen.camera];
  const Eigen::Matrix3d rotation = pose.rotation.toRotationMatrix();
  const Eigen::Vector3d turned = rotation * point;
  Lens::Derivatives d;
  Linear result;
  result.error =
      state_.lenses[pose.lens].Project(turned + pose.translation, &d) - seen.xy;
  const double root = std::sqrt(WeightOf(result.error.squaredNorm()));
  result.error *= root;
  d.by_point *= root;
  result.by_camera.leftCols<3>() = -d.by_point * Cross(turned);
  result.by_camera.rightCols<3>() = d.by_point;
  result.by_point = d.by_point * rotation;
  result.by_lens = d.by_lens * root;
  return result;
}

template <typename Body>
void Adjuster::ForEachPart(const Body& body) const {
  const size_t count = point_ids_.size();
  ParallelFor(kParts, options_.threads, [&](int64_t part) {
    for (size_t i = count * part / kParts; i < count * (part + 1) / kParts;
         ++i) {
      body(part, i);
    }
  });
}

double Adjuster::CostOf(const State& state) const {
  std::array<double, kParts> costs = {};
  ForEachPart([&](int64_t part, size_t i) {
    for (size_t k = first_[i]; k < first_[i + 1]; ++k) {
      const Pose& pose = state.poses[observations_[k].camera];
      const Eigen::Vector3d p =
          pose.rotation * state.points[i] + pose.translation;
      costs[part] += p.z() > 0 ? LossOf((state.lenses[pose.lens].Project(p) -
                                         observations_[k].xy)
                                            .squaredNorm())
                               : std::numeric_limits<double>::infinity();
    }
  });
  double cost = 0;
  for (const double of_part : costs) cost += of_part;
  return cost / 2;
}

// The point's own equations, damped; inverted.
Eigen::Matrix3d InverseOfPoint(Eigen::Matrix3d normal, double damping) {
  normal.diagonal() *= 1 + damping;
  normal.diagonal().array() += 1e-12 * normal.trace();
  return normal.inverse();
}

// The entry of `lens`, made where there is none yet.
LensPoint& MixedOf(int lens, std::vector<std::pair<int, LensPoint>>* mixed) {
  for (auto& [number, of_lens] : *mixed) {
    if (number == lens) return of_lens;
  }
  return mixed->emplace_back(lens, LensPoint::Zero()).second;
}

void Adjuster::ReduceBy(size_t point, ReducedSystem* part) {
  const size_t begin = first_[point];
  const size_t count = first_[point + 1] - begin;
  thread_local std::vector<Matrix63> mixed;     // camera by point
  thread_local std::vector<Matrix63> weighted;  // those by the point's inverse
  thread_local std::vector<std::pair<int, LensPoint>> lens_mixed;
  mixed.resize(count);
  weighted.resize(count);
  lens_mixed.clear();
  Eigen::Matrix3d normal = Eigen::Matrix3d::Zero();
  Eigen::Vector3d gradient = Eigen::Vector3d::Zero();
  for (size_t k = 0; k < count; ++k) {
    const Observation& seen = observations_[begin + k];
    const int lens = state_.poses[seen.camera].lens;
    const Linear l = Linearize(seen, state_.points[point]);
    normal += l.by_point.transpose() * l.by_point;
    gradient += l.by_point.transpose() * l.error;
    mixed[k] = l.by_camera.transpose() * l.by_point;
    MixedOf(lens, &lens_mixed) += l.by_lens.transpose() * l.by_point;
    Matrix6 own = l.by_camera.transpose() * l.by_camera;
    own.diagonal() *= 1 + damping_;
    part->blocks[pairs_.Number(seen.camera, seen.camera)] += own;
    part->Border(seen.camera, lens) += l.by_camera.transpose() * l.by_lens;
    LensMatrix of_lens = l.by_lens.transpose() * l.by_lens;
    of_lens.diagonal() *= 1 + damping_;
    part->OfLenses(lens, lens) += of_lens;
    part->camera_gradient[seen.camera] += l.by_camera.transpose() * l.error;
    part->lens_gradient[lens] += l.by_lens.transpose() * l.error;
  }
  const Eigen::Matrix3d inverse = InverseOfPoint(normal, damping_);
  for (size_t k = 0; k < count; ++k) {
    const int camera = observations_[begin + k].camera;
    weighted[k] = mixed[k] * inverse;
    for (const auto& [lens, of_lens] : lens_mixed) {
      part->Border(camera, lens) -= weighted[k] * of_lens.transpose();
    }
    part->camera_gradient[camera] -= weighted[k] * gradient;
    for (size_t j = 0; j <= k; ++j) {
      const int other = observations_[begin + j].camera;
      if (camera >= other) {
        part->blocks[pairs_.Number(camera, other)].noalias() -=
            weighted[k] * mixed[j].transpose();
      } else {
        part->blocks[pairs_.Number(other, camera)].noalias() -=
            mixed[j] * weighted[k].transpose();
      }
      // A camera that has a point twice is a pair with itself both ways.
      if (camera == other && j < k) {
        part->blocks[pairs_.Number(camera, camera)].noalias() -=
            mixed[j] * weighted[k].transpose();
      }
    }
  }
  for (const auto& [a, of_a] : lens_mixed) {
    const LensPoint lens_weighted = of_a * inverse;
    for (const auto& [b, of_b] : lens_mixed) {
      part->OfLenses(a, b) -= lens_weighted * of_b.transpose();
    }
    part->lens_gradient[a] -= lens_weighted * gradient;
  }
}

void Adjuster::Reduce(double damping) {
  damping_ = damping;
  for (ReducedSystem& part : parts_) part.Reset(pairs_, free_.size());
  ForEachPart([&](int64_t part, size_t i) { ReduceBy(i, &parts_[part]); });
  for (int part = 1; part < kParts; ++part) parts_[0].Add(parts_[part]);
}

Eigen::Vector3d Adjuster::PointStep(size_t point,
                                    const CameraStep& step) const {
  Eigen::Matrix3d normal = Eigen::Matrix3d::Zero();
  Eigen::Vector3d gradient = Eigen::Vector3d::Zero();
  for (size_t k = first_[point]; k < first_[point + 1]; ++k) {
    const Linear l = Linearize(observations_[k], state_.points[point]);
    normal += l.by_point.transpose() * l.by_point;
    const int camera = observations_[k].camera;
    gradient += l.by_point.transpose() *
                (l.error + l.by_camera * step.cameras[camera] +
                 l.by_lens * step.lenses[state_.poses[camera].lens]);
  }
  return -InverseOfPoint(normal, damping_) * gradient;
}

State Adjuster::Moved(const CameraStep& step) const {
  State moved = state_;
  ForEachPart(
      [&](int64_t, size_t i) { moved.points[i] += PointStep(i, step); });
  for (size_t i = 0; i < moved.poses.size(); ++i) {
    Pose& pose = moved.poses[i];
    const Eigen::Vector3d turn = step.cameras[i].head<3>();
    pose.rotation = (Eigen::AngleAxisd(turn.norm(), turn.stableNormalized()) *
                     pose.rotation)
                        .normalized();
    pose.translation += step.cameras[i].tail<3>();
  }
  for (size_t i = 0; i < moved.lenses.size(); ++i) {
    moved.lenses[i].Change(step.lenses[i].head(free_[i]));
  }
  return moved;
}

double LargestTurn(const CameraStep& step) {
  double largest = 0;
  for (const Vector6& camera : step.cameras) {
    largest = std::max(largest, camera.head<3>().norm());
  }
  return largest;
}

AdjustmentResult Adjuster::Run() {
  constexpr double kLeastDamping = 1e-8;
  constexpr double kMostDamping = 1e6;
  double damping = 1e-4;
  AdjustmentResult result;
  double cost = CostOf(state_);
  result.cost_before = cost;
  while (result.steps < options_.max_steps && damping < kMostDamping) {
    ThrowIfInterrupted();
    Reduce(damping);
    CameraStep step;
    State moved = state_;
    double next = std::numeric_limits<double>::infinity();
    if (parts_[0].Solve(pairs_, free_, &step)) {
      moved = Moved(step);
      next = CostOf(moved);
    }
    if (!(next < cost)) {
      damping *= 10;
      continue;
    }
    const double gain = (cost - next) / cost;
    state_ = std::move(moved);
    cost = next;
    ++result.steps;
    damping = std::max(damping / 10, kLeastDamping);
    if (gain < options_.least_gain || LargestTurn(step) < options_.least_turn) {
      break;
    }
  }
  result.cost_after = cost;
  result.aspect_deviation = AspectDeviationOf(kLeastDamping);
  return result;
}

double Adjuster::AspectDeviationOf(double damping) {
  if (std::ranges::all_of(state_.lenses, &Lens::IsSquare)) return 0;
  Reduce(damping);
  CameraStep unused;
  Eigen::MatrixXd information;
  return parts_[0].Solve(pairs_, free_, &unused, &information)
             ? AspectDeviation(state_.lenses, information)
             : std::numeric_limits<double>::infinity();
}

void Adjuster::Write() const {
  for (size_t i = 0; i < camera_ids_.size(); ++i) {
    model_->Camera(camera_ids_[i]).params = state_.lenses[i].Params();
  }
  for (size_t i = 0; i < image_ids_.size(); ++i) {
    model_->Image(image_ids_[i]).CamFromWorld() =
        colmap::Rigid3d(state_.poses[i].rotation, state_.poses[i].translation);
  }
  for (size_t i = 0; i < point_ids_.size(); ++i) {
    model_->Point3D(point_ids_[i]).xyz = state_.points[i];
  }
}

}  // namespace

AdjustmentResult AdjustBundle(const AdjustmentOptions& options,
                              colmap::Reconstruction* model) {
  Adjuster adjuster(options, model);
  const AdjustmentResult result = adjuster.Run();
  adjuster.Write();
  return result;
}

}  // namespace nerfpipe::sfm
