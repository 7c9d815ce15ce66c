// The frame of exports, and its file.

#include "stages/geometry/scene_transform.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/common/scene_transform_file.h"
#include "tests/temporary_folder.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

constexpr double kDegree = 3.14159265358979323846 / 180;

void ExpectNear(const Vec3& found, const Vec3& expected, double tolerance) {
  EXPECT_NEAR(found.x, expected.x, tolerance);
  EXPECT_NEAR(found.y, expected.y, tolerance);
  EXPECT_NEAR(found.z, expected.z, tolerance);
}

// Cameras on an arc of uneven steps round `focus`, `up` being any direction.
std::vector<Pose> Arc(const Vec3& focus, const Vec3& up) {
  const Pose axes = LookAlong({}, up, {0.3, -0.2, 0.9});
  std::vector<Pose> poses;
  for (int i = 0; i < 11; ++i) {
    const double angle = (20 + 29.3 * i + 0.7 * i * i) * kDegree;
    const Vec3 outward =
        std::cos(angle) * axes.right + std::sin(angle) * axes.up;
    const Vec3 centre =
        focus + (3.1 + 0.02 * i) * outward + 1.2 * Normalised(up);
    poses.push_back(LookAlong(centre, centre - focus, up));
  }
  return poses;
}

TEST(SceneTransform, StandsUprightAboutTheFocus) {
  const Vec3 focus = {4, -7, 2.5};
  const Vec3 up = Normalised({0.2, -0.9, 0.4});
  const std::vector<Pose> poses = Arc(focus, up);
  const SceneTransform transform = UprightTransform(poses);
  EXPECT_EQ(transform.scale, 1);
  ExpectNear(Transformed(transform, focus), {0, 0, 0}, 1e-6);
  ExpectNear(Transformed(transform, focus + 2.0 * up), {0, 2, 0}, 1e-6);
  // The first camera stands before the scene, above it, and looks at it.
  const Pose first = Transformed(transform, poses[0]);
  ExpectNear(first.centre, {0, 1.2, 3.1}, 1e-6);
  EXPECT_GT(first.up.y, 0.9);
  ExpectNear(first.right, {1, 0, 0}, 1e-6);
  // Right-handed: the next camera went on to the right or the left as it did.
  const Pose second = Transformed(transform, poses[1]);
  const double turn =
      Dot(Cross(poses[0].centre - focus, poses[1].centre - focus), up);
  EXPECT_GT(turn * second.centre.x, 0);
}

// Side by side they look at nothing together: the middle is theirs.
TEST(SceneTransform, OfAWalkIsAmongItsCameras) {
  const Vec3 up = {0, 0, 1};
  std::vector<Pose> poses;
  for (int i = 0; i < 7; ++i) {
    const double turn = (i % 2 == 0 ? 50 : -65) * kDegree;
    poses.push_back(LookAlong(
        {1.5 * i, 0.25, 2.0}, {std::cos(turn), std::sin(turn), 0}, up));
  }
  const SceneTransform transform = UprightTransform(poses);
  ExpectNear(Transformed(transform, Vec3{4.5, 0.25, 2.0}), {0, 0, 0}, 1e-9);
  ExpectNear(Transformed(transform, poses[0]).back, {0, 0, 1}, 1e-9);
  ExpectNear(Transformed(transform, poses[0]).up, {0, 1, 0}, 1e-9);
}

TEST(SceneTransform, ComesBackFromItsFile) {
  const TemporaryFolder folder;
  const auto path = folder / kSceneTransformFile;
  const SceneTransform written =
      UprightTransform(Arc({4, -7, 2.5}, {0.2, -0.9, 0.4}));
  const std::string text = SceneTransformJson(written);
  EXPECT_THAT(text, ::testing::HasSubstr("\"unit\": \"arbitrary\""));
  WriteFileAtomically(path, text);
  const SceneTransform read = ReadSceneTransform(path);
  EXPECT_EQ(read.exported_from_world, written.exported_from_world);
  EXPECT_EQ(read.scale, 1);
  // One that somebody edited into a mirror, or that is cut short.
  std::string mirrored = text;
  mirrored.replace(mirrored.find("\"scale\": 1.0"), 12, "\"scale\": 2.0");
  for (const std::string& bad : {mirrored, text.substr(0, text.size() / 2)}) {
    WriteFileAtomically(path, bad);
    EXPECT_THROW(ReadSceneTransform(path), UserError);
  }
}

}  // namespace
}  // namespace nerfpipe
