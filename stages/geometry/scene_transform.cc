#include "stages/geometry/scene_transform.h"

#include "pipeline/base/error.h"

namespace nerfpipe {
namespace {

// Share of the cameras that look at the focus, within 30 degrees.
double ShareInward(const std::vector<Pose>& poses, const Vec3& focus) {
  constexpr double kLooksAt = 30 * 3.14159265358979323846 / 180;
  double inward = 0;
  for (const Pose& pose : poses) {
    if (AngleBetween(pose.centre - focus, pose.back) < kLooksAt) ++inward;
  }
  return inward / static_cast<double>(poses.size());
}

Vec3 Linear(const std::array<double, 12>& m, const Vec3& v) {
  return {m[0] * v.x + m[1] * v.y + m[2] * v.z,
          m[4] * v.x + m[5] * v.y + m[6] * v.z,
          m[8] * v.x + m[9] * v.y + m[10] * v.z};
}

}  // namespace

SceneTransform UprightTransform(const std::vector<Pose>& poses) {
  NERFPIPE_CHECK(!poses.empty());
  constexpr double kMostInward = 0.8;
  const Vec3 focus = FocusPoint(poses);
  const bool inward = ShareInward(poses, focus) >= kMostInward;
  const Vec3 centre = inward ? focus : AveragePose(poses).centre;
  const Vec3 up = UpDirection(poses, focus);
  const Vec3 towards = inward ? poses.front().centre - focus  //
                              : poses.front().back;
  // A pose whose upright axis is `up` itself, not one that is near to it.
  const Pose level = LookAlong({}, up, towards);
  const Vec3 rows[3] = {-level.right, level.back, level.up};
  SceneTransform transform;
  for (int i = 0; i < 3; ++i) {
    transform.exported_from_world[4 * i + 0] = rows[i].x;
    transform.exported_from_world[4 * i + 1] = rows[i].y;
    transform.exported_from_world[4 * i + 2] = rows[i].z;
    transform.exported_from_world[4 * i + 3] = -Dot(rows[i], centre);
  }
  return transform;
}

Vec3 Transformed(const SceneTransform& transform, const Vec3& point) {
  const std::array<double, 12>& m = transform.exported_from_world;
  return Linear(m, point) + Vec3{m[3], m[7], m[11]};
}

Pose Transformed(const SceneTransform& transform, const Pose& pose) {
  const std::array<double, 12>& m = transform.exported_from_world;
  return {Normalised(Linear(m, pose.right)),
          Normalised(Linear(m, pose.up)),
          Normalised(Linear(m, pose.back)),
          Transformed(transform, pose.centre)};
}

}  // namespace nerfpipe
