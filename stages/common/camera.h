#pragma once

// Cameras and poses. Transforms are named target_from_source.

#include <Eigen/Core>
#include <Eigen/Geometry>

namespace nerfpipe {

// x_in_target = rotation * x_in_source + translation.
struct Rigid3 {
  Eigen::Matrix3d rotation = Eigen::Matrix3d::Identity();
  Eigen::Vector3d translation = Eigen::Vector3d::Zero();

  Eigen::Vector3d operator*(const Eigen::Vector3d& x) const {
    return rotation * x + translation;
  }
  Rigid3 Inverse() const {
    return {rotation.transpose(), -(rotation.transpose() * translation)};
  }
};

// Pixels; the centre of the top left pixel is at (0.5, 0.5), so a principal
// point in the middle is (width / 2, height / 2).
struct Pinhole {
  int width = 0;
  int height = 0;
  double fx = 0;
  double fy = 0;
  double cx = 0;
  double cy = 0;
};

}  // namespace nerfpipe
