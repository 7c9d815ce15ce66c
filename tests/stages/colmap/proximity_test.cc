#include "stages/colmap/mapping/proximity.h"

#include <cmath>
#include <numbers>
#include <set>
#include <string>
#include <vector>

#include <Eigen/Geometry>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

constexpr int kPerRound = 24;

// Two rounds of a walk round a tin of radius 1, whose points are seen by the
// cameras that face them.
ColmapModel TwoRounds(std::vector<std::string>* names) {
  ColmapModel model;
  model.cameras[1] = {1, 800, 600, {700, 700, 400, 300}};
  for (int i = 0; i < 400; ++i) {
    const double angle = 2 * std::numbers::pi * i / 400;
    model.points[i + 7].xyz = {
        std::cos(angle), std::sin(angle), 0.3 * std::sin(3.0 * i)};
  }
  for (int i = 0; i < 2 * kPerRound; ++i) {
    const double angle = 2 * std::numbers::pi * i / kPerRound;
    const Eigen::Vector3d centre(
        4 * std::cos(angle), 4 * std::sin(angle), i < kPerRound ? 1 : 1.5);
    const Eigen::Vector3d forward = -centre.normalized();
    const Eigen::Vector3d right =
        forward.cross(Eigen::Vector3d::UnitZ()).normalized();
    Rigid3 pose;
    pose.rotation.col(0) = right;
    pose.rotation.col(1) = forward.cross(right);
    pose.rotation.col(2) = forward;
    pose.translation = centre;
    ColmapImage image;
    image.name = std::to_string(100 + i);
    image.camera_id = 1;
    image.camera_from_world = pose.Inverse();
    for (const auto& [id, point] : model.points) {
      const Eigen::Vector3d outward(point.xyz.x(), point.xyz.y(), 0);
      if (outward.dot(centre - point.xyz) > 0) {
        image.observations.push_back({{0, 0}, static_cast<int64_t>(id)});
      }
    }
    // Identifiers are not places.
    model.images[static_cast<uint32_t>(900 - i)] = image;
    names->push_back(image.name);
  }
  return model;
}

TEST(PairsByProximity, AreTheSamePlaceOfTheNextRoundAndNeverTheOtherSide) {
  std::vector<std::string> names;
  const ColmapModel model = TwoRounds(&names);
  const std::vector<ImagePair> pairs = PairsByProximity(model, names, 5);
  const std::set<ImagePair> found(pairs.begin(), pairs.end());
  EXPECT_EQ(found.size(), pairs.size());
  for (int i = 0; i < kPerRound; ++i) {
    EXPECT_TRUE(found.contains({i, i + kPerRound})) << i;
  }
  for (const auto& [i, j] : pairs) {
    EXPECT_GT(j - i, 5);
    const int apart = (j - i) % kPerRound;
    EXPECT_LE(std::min(apart, kPerRound - apart), 3) << i << " and " << j;
  }
}

}  // namespace
}  // namespace nerfpipe::sfm
