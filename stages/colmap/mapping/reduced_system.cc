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

void ReducedSystem::Reset(const PairTable& pairs, size_t lens_count_wanted) {
  lens_count = lens_count_wanted;
  blocks.assign(pairs.Pairs().size(), Matrix6::Zero());
  border.assign(pairs.Cameras() * lens_count, LensColumns::Zero());
  lenses.assign(lens_count * lens_count, LensMatrix::Zero());
  camera_gradient.assign(pairs.Cameras(), Vector6::Zero());
  lens_gradient.assign(lens_count, LensVector::Zero());
}

void ReducedSystem::Add(const ReducedSystem& other) {
  const auto add = [](auto* to, const auto& from) {
    for (size_t i = 0; i < to->size(); ++i) (*to)[i] += from[i];
  };
  add(&blocks, other.blocks);
  add(&border, other.border);
  add(&lenses, other.lenses);
  add(&camera_gradient, other.camera_gradient);
  add(&lens_gradient, other.lens_gradient);
}

bool ReducedSystem::Solve(const PairTable& pairs,
                          const std::vector<int>& free,
                          CameraStep* step,
                          Eigen::MatrixXd* lens_information) const {
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
  // The lenses are solved for last.
  std::vector<Eigen::Index> first(lens_count + 1);  // column of each lens
  for (size_t l = 0; l < lens_count; ++l) first[l + 1] = first[l] + free[l];
  const Eigen::Index lens_columns = first[lens_count];
  Eigen::MatrixXd columns(rows, lens_columns);
  Eigen::VectorXd gradient(rows);
  for (size_t i = 0; i < pairs.Cameras(); ++i) {
    const auto row = static_cast<Eigen::Index>(6 * i);
    for (size_t l = 0; l < lens_count; ++l) {
      columns.block(row, first[l], 6, free[l]) =
          border[i * lens_count + l].leftCols(free[l]);
    }
    gradient.segment<6>(row) = camera_gradient[i];
  }
  Eigen::MatrixXd of_lenses(lens_columns, lens_columns);
  Eigen::VectorXd of_gradient(lens_columns);
  for (size_t a = 0; a < lens_count; ++a) {
    of_gradient.segment(first[a], free[a]) = lens_gradient[a].head(free[a]);
    for (size_t b = 0; b < lens_count; ++b) {
      of_lenses.block(first[a], first[b], free[a], free[b]) =
          lenses[a * lens_count + b].topLeftCorner(free[a], free[b]);
    }
  }
  const Eigen::MatrixXd solved_border = solver.solve(columns);
  const Eigen::VectorXd solved_gradient = solver.solve(gradient);
  const Eigen::MatrixXd reduced =
      of_lenses - columns.transpose() * solved_border;
  if (lens_information != nullptr) *lens_information = reduced;
  const Eigen::VectorXd lens_moves = -reduced.ldlt().solve(
      of_gradient - columns.transpose() * solved_gradient);
  const Eigen::VectorXd moves = -solved_gradient - solved_border * lens_moves;
  step->lenses.assign(lens_count, LensVector::Zero());
  for (size_t l = 0; l < lens_count; ++l) {
    step->lenses[l].head(free[l]) = lens_moves.segment(first[l], free[l]);
  }
  step->cameras.resize(pairs.Cameras());
  for (size_t i = 0; i < pairs.Cameras(); ++i) {
    step->cameras[i] = moves.segment<6>(6 * static_cast<Eigen::Index>(i));
  }
  return moves.allFinite() && lens_moves.allFinite();
}

}  // namespace nerfpipe::sfm
