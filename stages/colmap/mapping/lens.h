#pragma once

// Projection through the lens models that the stage offers, with derivatives.

#include <vector>

#include <Eigen/Core>

namespace nerfpipe::sfm {

// Models 0 to 4 of COLMAP are special cases of the last, OPENCV: what each of
// its parameters but the principal point is taken from. The principal point
// comes before the distortion in all of them and is not adjusted.
class Lens {
 public:
  static constexpr int kMaxFree = 6;

  // `model_id` is SIMPLE_PINHOLE (0), PINHOLE, SIMPLE_RADIAL, RADIAL or OPENCV
  // (4), `params` as COLMAP orders them.
  Lens(int model_id, std::vector<double> params);

  // Parameters that can be adjusted: the focal lengths and the distortion.
  int Free() const { return static_cast<int>(free_.size()); }
  void Change(const Eigen::VectorXd& by);  // of Free() entries
  const std::vector<double>& Params() const { return params_; }

  // In pixels, of a point before the camera.
  Eigen::Vector2d Project(const Eigen::Vector3d& p) const;

  // By the point, and by the Free() parameters in the first columns.
  struct Derivatives {
    Eigen::Matrix<double, 2, 3> by_point;
    Eigen::Matrix<double, 2, kMaxFree> by_lens;
  };
  Eigen::Vector2d Project(const Eigen::Vector3d& p, Derivatives* d) const;

 private:
  void Spread();

  std::vector<double> params_;
  std::vector<int> free_;  // places in params_
  // Of fx, fy, k1, k2, p1, p2: the entry of free_ it comes from, or -1.
  int source_[6];
  double fx_, fy_, cx_, cy_, k1_, k2_, p1_, p2_;
};

}  // namespace nerfpipe::sfm
