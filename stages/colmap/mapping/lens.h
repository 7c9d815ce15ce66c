#pragma once

// Projection through the lens models that the stage offers, with derivatives.

#include <vector>

#include <Eigen/Core>

namespace nerfpipe::sfm {

// Identifiers of COLMAP's models that this folder speaks of.
inline constexpr int kPinhole = 1;
inline constexpr int kSimpleRadial = 2;
inline constexpr int kRadial = 3;
inline constexpr int kOpenCv = 4;
inline constexpr int kRadialFisheye = 9;

// fx and fy of their own?
bool HasTwoFocals(int model_id);

// Models 0 to 4 of COLMAP are special cases of OPENCV: what each of its
// parameters but the principal point is taken from. RADIAL_FISHEYE bends the
// angle from the axis instead of its tangent. The principal point comes before
// the distortion in all of them and is not adjusted.
class Lens {
 public:
  static constexpr int kMaxFree = 6;

  // `model_id` is SIMPLE_PINHOLE (0), PINHOLE, SIMPLE_RADIAL, RADIAL, OPENCV
  // (4) or RADIAL_FISHEYE (9), `params` as COLMAP orders them. With
  // `square_pixels` two focal lengths become their mean and change as one.
  Lens(int model_id, std::vector<double> params, bool square_pixels = false);

  // Parameters that can be adjusted: the focal lengths and the distortion.
  int Free() const { return static_cast<int>(free_.size()); }
  void Change(const Eigen::VectorXd& by);  // of Free() entries
  const std::vector<double>& Params() const { return params_; }
  // One focal length, or two that change as one.
  bool IsSquare() const { return source_[0] == source_[1]; }

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
  Eigen::Vector2d ProjectFisheye(double u, double v) const;
  Eigen::Vector2d ProjectFisheye(const Eigen::Vector3d& p,
                                 Derivatives* d) const;

  std::vector<double> params_;
  std::vector<int> free_;  // places in params_
  bool tied_ = false;      // params_[1] is a copy of params_[0]
  bool fisheye_ = false;
  // Of fx, fy, k1, k2, p1, p2: the entry of free_ it comes from, or -1.
  int source_[6];
  double fx_, fy_, cx_, cy_, k1_, k2_, p1_, p2_;
};

// Standard deviation of the ratio fy / fx of the lens that tells it least, from
// the inverse of the covariance of all free parameters, one lens after the
// other. Infinite where nothing tells it.
double AspectDeviation(const std::vector<Lens>& lenses,
                       const Eigen::MatrixXd& information);

}  // namespace nerfpipe::sfm
