#include "stages/colmap/mapping/reduced_system.h"

#include <Eigen/CholmodSupport>
#include <Eigen/Dense>
#include <Eigen/Sparse>

namespace nerfpipe::sfm {

void PairTable::Add(int i, int j) {
  int& number = numbers_[static_cast<size_t>(i) * cameras_ + j];
  if (number >= 0) return;
  number = static_cast<int>(pairs_.size());
  pairs_.emplace_back(i, j);
}

void ReducedSystem::Reset(const PairTable& pairs) {
  blocks.assign(pairs.Pairs().size(), Matrix6::Zero());
  border.assign(pairs.Cameras(), LensColumns::Zero());
  lens.setZero();
  camera_gradient.assign(pairs.Cameras(), Vector6::Zero());
  lens_gradient.setZero();
}

void ReducedSystem::Add(const ReducedSystem& other) {
  for (size_t i = 0; i < blocks.size(); ++i) blocks[i] += other.blocks[i];
  for (size_t i = 0; i < border.size(); ++i) {
    border[i] += other.border[i];
    camera_gradient[i] += other.camera_gradient[i];
  }
  lens += other.lens;
  lens_gradient += other.lens_gradient;
}

bool ReducedSystem::Solve(const PairTable& pairs,
                          int free,
                          CameraStep* step) const {
  const auto rows = static_cast<Eigen::Index>(6 * pairs.Cameras());
  std::vector<Eigen::Triplet<double>> entries;
  entries.reserve(36 * blocks.size());
  for (size_t k = 0; k < blocks.size(); ++k) {
    const auto [i, j] = pairs.Pairs()[k];
    for (int row = 0; row < 6; ++row) {
      for (int column = 0; column < (i == j ? row + 1 : 6); ++column) {
        const double value = blocks[k](row, column);
        // A camera that sees nothing stays where it is.
        const bool empty = i == j && row == column && value == 0;
        entries.emplace_back(6 * i + row, 6 * j + column, empty ? 1 : value);
      }
    }
  }
  Eigen::SparseMatrix<double> cameras(rows, rows);
  cameras.setFromTriplets(entries.begin(), entries.end());
  // Its BLAS makes it ten times as fast as Eigen alone.
  const Eigen::CholmodSupernodalLLT<Eigen::SparseMatrix<double>> solver(
      cameras);
  if (solver.info() != Eigen::Success) return false;
  // The lens is solved for last.
  Eigen::MatrixXd columns(rows, free);
  Eigen::VectorXd gradient(rows);
  for (size_t i = 0; i < pairs.Cameras(); ++i) {
    columns.middleRows<6>(6 * static_cast<Eigen::Index>(i)) =
        border[i].leftCols(free);
    gradient.segment<6>(6 * static_cast<Eigen::Index>(i)) = camera_gradient[i];
  }
  const Eigen::MatrixXd solved_border = solver.solve(columns);
  const Eigen::VectorXd solved_gradient = solver.solve(gradient);
  const Eigen::MatrixXd reduced =
      lens.topLeftCorner(free, free) - columns.transpose() * solved_border;
  step->lens.setZero();
  step->lens.head(free) = -reduced.ldlt().solve(
      lens_gradient.head(free) - columns.transpose() * solved_gradient);
  const Eigen::VectorXd moves =
      -solved_gradient - solved_border * step->lens.head(free);
  step->cameras.resize(pairs.Cameras());
  for (size_t i = 0; i < pairs.Cameras(); ++i) {
    step->cameras[i] = moves.segment<6>(6 * static_cast<Eigen::Index>(i));
  }
  return moves.allFinite() && step->lens.allFinite();
}

}  // namespace nerfpipe::sfm
