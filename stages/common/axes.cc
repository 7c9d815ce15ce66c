#include "stages/common/axes.h"

namespace nerfpipe {
namespace {

// Columns of the result are the axes of the new convention, each given by the
// axis of the old one that it equals and a sign.
Eigen::Matrix3d Columns(const Eigen::Vector3d& x,
                        const Eigen::Vector3d& y,
                        const Eigen::Vector3d& z) {
  Eigen::Matrix3d columns;
  columns << x, y, z;
  return columns;
}

Rigid3 Rename(const Rigid3& pose,
              const Eigen::Vector3d& x,
              const Eigen::Vector3d& y,
              const Eigen::Vector3d& z) {
  return {pose.rotation * Columns(x, y, z), pose.translation};
}

const Eigen::Vector3d kX = Eigen::Vector3d::UnitX();
const Eigen::Vector3d kY = Eigen::Vector3d::UnitY();
const Eigen::Vector3d kZ = Eigen::Vector3d::UnitZ();

}  // namespace

Rigid3 OpenGlFromColmapAxes(const Rigid3& world_from_camera) {
  return Rename(world_from_camera, kX, -kY, -kZ);
}

Rigid3 ColmapFromOpenGlAxes(const Rigid3& world_from_camera) {
  return Rename(world_from_camera, kX, -kY, -kZ);
}

Rigid3 LlffFromColmapAxes(const Rigid3& world_from_camera) {
  return Rename(world_from_camera, kY, kX, -kZ);
}

Rigid3 OpenGlFromLlffAxes(const Rigid3& world_from_camera) {
  return Rename(world_from_camera, kY, -kX, kZ);
}

}  // namespace nerfpipe
