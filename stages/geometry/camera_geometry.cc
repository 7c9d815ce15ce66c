#include "stages/geometry/camera_geometry.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <array>
#include <utility>

namespace nerfpipe {
namespace {

constexpr double kPi = 3.14159265358979323846;

// Symmetric 3 x 3 matrix as its rows.
using Matrix3 = std::array<Vec3, 3>;

void AddOuter(const Vec3& a, double weight, Matrix3* matrix) {
  (*matrix)[0] = (*matrix)[0] + (weight * a.x) * a;
  (*matrix)[1] = (*matrix)[1] + (weight * a.y) * a;
  (*matrix)[2] = (*matrix)[2] + (weight * a.z) * a;
}

// Cramer's rule; the caller keeps the matrix away from singular.
Vec3 Solve(const Matrix3& rows, const Vec3& right_side) {
  const Vec3 a = Cross(rows[1], rows[2]);
  const Vec3 b = Cross(rows[2], rows[0]);
  const Vec3 c = Cross(rows[0], rows[1]);
  const double determinant = Dot(rows[0], a);
  return (1 / determinant) *
         (right_side.x * a + right_side.y * b + right_side.z * c);
}

struct Eigen3 {
  std::array<double, 3> values;  // ascending
  std::array<Vec3, 3> vectors;
};

// Jacobi's rotations, which end after a few sweeps at rounding.
Eigen3 EigenOf(const Matrix3& rows) {
  double a[3][3] = {{rows[0].x, rows[0].y, rows[0].z},
                    {rows[1].x, rows[1].y, rows[1].z},
                    {rows[2].x, rows[2].y, rows[2].z}};
  double v[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  constexpr int kSweeps = 30;
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    if (a[0][1] == 0 && a[0][2] == 0 && a[1][2] == 0) break;
    for (const auto& [p, q] : {std::pair(0, 1), {0, 2}, {1, 2}}) {
      if (a[p][q] == 0) continue;
      const double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
      const double t = (theta < 0 ? -1 : 1) /
                       (std::abs(theta) + std::sqrt(theta * theta + 1));
      const double c = 1 / std::sqrt(t * t + 1);
      const double s = t * c;
      for (int k = 0; k < 3; ++k) {
        const double kp = a[k][p], kq = a[k][q];
        a[k][p] = c * kp - s * kq;
        a[k][q] = s * kp + c * kq;
      }
      for (int k = 0; k < 3; ++k) {
        const double pk = a[p][k], qk = a[q][k];
        a[p][k] = c * pk - s * qk;
        a[q][k] = s * pk + c * qk;
        const double vp = v[k][p], vq = v[k][q];
        v[k][p] = c * vp - s * vq;
        v[k][q] = s * vp + c * vq;
      }
      a[p][q] = a[q][p] = 0;
    }
  }
  std::array<int, 3> order = {0, 1, 2};
  std::sort(order.begin(), order.end(), [&](int i, int j) {
    return a[i][i] < a[j][j];
  });
  Eigen3 result;
  for (int i = 0; i < 3; ++i) {
    const int k = order[i];
    result.values[i] = a[k][k];
    result.vectors[i] = {v[0][k], v[1][k], v[2][k]};
  }
  return result;
}

// How near directions are to spanning just a plane: 0 is flat; 1 when they do
// not span one.
double Flatness(const Eigen3& eigen) {
  return eigen.values[1] > 0.03 ? eigen.values[0] / eigen.values[1] : 1;
}

Vec3 MeanCentre(const std::vector<Pose>& poses) {
  Vec3 sum;
  for (const Pose& pose : poses) {
    sum = sum + pose.centre;
  }
  return (1.0 / poses.size()) * sum;
}

double DistanceFromAxis(const Pose& pose, const Vec3& point) {
  return Norm(Cross(point - pose.centre, pose.back));
}

Vec3 PlaneNormal(const std::vector<Pose>& poses) {
  const Vec3 mean = MeanCentre(poses);
  Matrix3 scatter = {};
  for (const Pose& pose : poses) {
    AddOuter(pose.centre - mean, 1, &scatter);
  }
  return EigenOf(scatter).vectors[0];
}

}  // namespace

Pose LookAlong(const Vec3& centre, const Vec3& back, const Vec3& up) {
  Pose pose;
  pose.centre = centre;
  pose.back = Normalised(back);
  pose.right = Normalised(Cross(up, pose.back));
  if (Norm(pose.right) == 0) {  // looking straight up or down
    const Vec3 other =
        std::abs(pose.back.x) < 0.9 ? Vec3{1, 0, 0} : Vec3{0, 1, 0};
    pose.right = Normalised(Cross(other, pose.back));
  }
  pose.up = Cross(pose.back, pose.right);
  return pose;
}

Pose AveragePose(const std::vector<Pose>& poses) {
  NERFPIPE_CHECK(!poses.empty());
  Vec3 back;
  Vec3 up;
  for (const Pose& pose : poses) {
    back = back + pose.back;
    up = up + pose.up;
  }
  return LookAlong(MeanCentre(poses), back, up);
}

double Quantile(std::vector<double> values, double share) {
  NERFPIPE_CHECK(!values.empty());
  std::sort(values.begin(), values.end());
  const double position = share * (values.size() - 1);
  const size_t below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (position - below) * (values[above] - values[below]);
}

Vec3 FocusPoint(const std::vector<Pose>& poses) {
  NERFPIPE_CHECK(!poses.empty());
  const Vec3 mean = MeanCentre(poses);
  std::vector<double> weights(poses.size(), 1.0);
  Vec3 focus = mean;
  for (int round = 0; round < 10; ++round) {
    // Sum of w (I - d d^T) (p - o) = 0, with a trace of a pull to the mean
    // centre that keeps parallel axes solvable.
    double total = 0;
    Matrix3 matrix = {};
    Vec3 right_side;
    for (size_t i = 0; i < poses.size(); ++i) {
      const Vec3& d = poses[i].back;
      const Vec3& o = poses[i].centre;
      total += weights[i];
      AddOuter(d, -weights[i], &matrix);
      right_side = right_side + weights[i] * (o - Dot(d, o) * d);
    }
    const double pull = 1e-9 * total;
    matrix[0].x += total + pull;
    matrix[1].y += total + pull;
    matrix[2].z += total + pull;
    focus = Solve(matrix, right_side + pull * mean);

    std::vector<double> misses(poses.size());
    for (size_t i = 0; i < poses.size(); ++i) {
      misses[i] = DistanceFromAxis(poses[i], focus);
    }
    const double typical = Quantile(misses, 0.5);
    if (typical <= 1e-12 * (1 + Norm(focus))) {
      break;
    }
    for (size_t i = 0; i < poses.size(); ++i) {
      const double ratio = misses[i] / (2 * typical);
      weights[i] = 1 / (1 + ratio * ratio);
    }
  }
  return focus;
}

Vec3 UpDirection(const std::vector<Pose>& poses, const Vec3& focus) {
  NERFPIPE_CHECK(!poses.empty());
  const double n = static_cast<double>(poses.size());
  Vec3 mean_up;
  Vec3 mean_right;
  Matrix3 ups = {};
  Matrix3 rights = {};
  for (const Pose& pose : poses) {
    mean_up = mean_up + (1 / n) * pose.up;
    mean_right = mean_right + (1 / n) * pose.right;
    AddOuter(pose.up, 1 / n, &ups);
    AddOuter(pose.right, 1 / n, &rights);
  }
  const Vec3 outward = MeanCentre(poses) - focus;
  const auto above = [&](const Vec3& axis) {
    return Dot(axis, outward) < 0 ? -axis : axis;
  };
  // A camera tilted down has a leaning up axis but a level right axis. In
  // pictures stored on their side it is the up axis that is level, and which
  // way round is anyone's guess: cameras stand above the scene, if anything.
  const Eigen3 of_rights = EigenOf(rights);
  const Eigen3 of_ups = EigenOf(ups);
  const bool sideways =
      of_ups.values[1] > 0.1 && Flatness(of_ups) < 0.3 * Flatness(of_rights);
  const Vec3 vertical = sideways ? above(mean_right) : mean_up;
  if (Norm(vertical) < 0.3) {
    return above(PlaneNormal(poses));  // the camera was turned in the hand
  }
  const Eigen3& level = sideways ? of_ups : of_rights;
  if (Flatness(level) < 0.2) {
    const Vec3 up = Dot(level.vectors[0], vertical) < 0 ? -level.vectors[0]
                                                        : level.vectors[0];
    if (AngleBetween(up, vertical) < 75 * kPi / 180) {
      return up;
    }
  }
  return Normalised(vertical);
}

Ring FitRing(const std::vector<Pose>& poses,
             const Vec3& focus,
             const Vec3& up) {
  NERFPIPE_CHECK(!poses.empty());
  Ring ring;
  ring.focus = focus;
  ring.up = Normalised(up);
  ring.first_axis =
      LookAlong(focus, poses.front().centre - focus, ring.up).right;
  ring.first_axis = Normalised(Cross(ring.first_axis, ring.up));
  ring.second_axis = Cross(ring.up, ring.first_axis);

  std::vector<double> angles;
  for (const Pose& pose : poses) {
    const Vec3 from_focus = pose.centre - focus;
    const double along = Dot(from_focus, ring.first_axis);
    const double across = Dot(from_focus, ring.second_axis);
    angles.push_back(std::atan2(across, along));
  }
  std::sort(angles.begin(), angles.end());
  double widest = 2 * kPi - (angles.back() - angles.front());
  ring.arc_start = angles.front();
  for (size_t i = 1; i < angles.size(); ++i) {
    if (angles[i] - angles[i - 1] > widest) {
      widest = angles[i] - angles[i - 1];
      ring.arc_start = angles[i];
    }
  }
  ring.arc_length = 2 * kPi - widest;
  return ring;
}

}  // namespace nerfpipe
