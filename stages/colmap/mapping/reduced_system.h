#pragma once

// The normal equations of an adjustment once the points are eliminated: a block
// for each pair of cameras that see a point together, and a border for the
// lenses that they share.

#include "stages/colmap/mapping/lens.h"

#include <utility>
#include <vector>

#include <Eigen/Core>

namespace nerfpipe::sfm {

using Matrix6 = Eigen::Matrix<double, 6, 6>;
using Vector6 = Eigen::Matrix<double, 6, 1>;
// Of the lens; as many rows and columns as it has free parameters are used.
using LensColumns = Eigen::Matrix<double, 6, Lens::kMaxFree>;
using LensMatrix = Eigen::Matrix<double, Lens::kMaxFree, Lens::kMaxFree>;
using LensVector = Eigen::Matrix<double, Lens::kMaxFree, 1>;
using LensPoint = Eigen::Matrix<double, Lens::kMaxFree, 3>;

// Pairs (i, j) of cameras with i >= j, numbered as they are added.
class PairTable {
 public:
  explicit PairTable(size_t cameras)
      : cameras_(cameras), numbers_(cameras * cameras, -1) {}

  void Add(int i, int j);
  int Number(int i, int j) const {
    return numbers_[static_cast<size_t>(i) * cameras_ + j];
  }
  size_t Cameras() const { return cameras_; }
  const std::vector<std::pair<int, int>>& Pairs() const { return pairs_; }

 private:
  size_t cameras_;
  std::vector<int> numbers_;
  std::vector<std::pair<int, int>> pairs_;
};

// What to change: of each camera a turn (radians, about the camera's own
// centre of coordinates) and a shift, and the lenses.
struct CameraStep {
  std::vector<Vector6> cameras;
  std::vector<LensVector> lenses;
};

struct ReducedSystem {
  size_t lens_count = 0;
  std::vector<Matrix6> blocks;      // by the numbers of the pairs
  std::vector<LensColumns> border;  // camera by camera, lens by lens
  std::vector<LensMatrix> lenses;   // row by row, lens by lens
  std::vector<Vector6> camera_gradient;
  std::vector<LensVector> lens_gradient;

  void Reset(const PairTable& pairs, size_t lens_count_wanted);
  void Add(const ReducedSystem& other);

  LensColumns& Border(int camera, int lens) {
    return border[static_cast<size_t>(camera) * lens_count + lens];
  }
  LensMatrix& OfLenses(int a, int b) {
    return lenses[static_cast<size_t>(a) * lens_count + b];
  }

  // The step to where the gradient vanishes, for the first `free` parameters of
  // each lens. False when the system is not positive definite. `pairs` holds
  // each camera with itself. `lens_information`, unless it is null, becomes the
  // inverse of the covariance of all those parameters, one lens after the
  // other, where an observation's error is 1.
  bool Solve(const PairTable& pairs,
             const std::vector<int>& free,
             CameraStep* step,
             Eigen::MatrixXd* lens_information = nullptr) const;
};

}  // namespace nerfpipe::sfm
