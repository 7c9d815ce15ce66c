#include "stages/colmap/refinement/observation_alignment.h"
#include "stages/colmap/refinement/patch.h"
#include "stages/media/image_file.h"
#include "tests/stages/colmap/corner_scene.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include <Eigen/Dense>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

// A speckled wall, the point (0, 0) of which is at `centre`, and of which
// `warp` takes offsets to offsets in the picture.
Image Wall(const Eigen::Vector2d& centre,
           const Eigen::Matrix2d& warp,
           double contrast,
           double brightness) {
  Image image(64, 64, 3);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const Eigen::Vector2d at =
          warp.inverse() * (Eigen::Vector2d(x + 0.5, y + 0.5) - centre) / 200;
      const double value = 255 * Speckle(0, at.x(), at.y());
      std::fill_n(image.At(x, y),
                  3,
                  static_cast<uint8_t>(contrast * value + brightness + 0.5));
    }
  }
  return image;
}

TEST(Patch, IsFoundToAFractionOfAPixel) {
  const Eigen::Vector2d centre(31.3, 30.8);
  const PatchTemplate pattern(
      *CutPatch(Wall(centre, Eigen::Matrix2d::Identity(), 1, 0), centre, 0));
  ASSERT_TRUE(pattern.HasTexture());
  Eigen::Matrix2d warp;
  warp << 0.9, 0.25, -0.2, 1.1;
  // Half as bright, turned and sheared; begun a pixel off, with a guess.
  const Eigen::Vector2d there(33.6, 29.1);
  const Eigen::Vector2d begun = there + Eigen::Vector2d(0.7, -0.6);
  const auto shift =
      pattern.Find(*CutPatch(Wall(there, warp, 0.5, 40), begun, 0),
                   (warp * 0.95).cast<float>());
  ASSERT_TRUE(shift);
  EXPECT_LT((begun + shift->cast<double>() - there).norm(), 0.04);
}

TEST(Patch, AnotherWallIsNotTakenForIt) {
  const Eigen::Vector2d centre(32, 32);
  const Eigen::Matrix2d same = Eigen::Matrix2d::Identity();
  const PatchTemplate pattern(*CutPatch(Wall(centre, same, 1, 0), centre, 0));
  const Image other = Wall(centre + Eigen::Vector2d(400, 300), same, 1, 0);
  EXPECT_FALSE(
      pattern.Find(*CutPatch(other, centre, 0), Eigen::Matrix2f::Identity()));
}

TEST(Patch, FlatOnesHaveNoTextureAndNoneHangsOverTheBorder) {
  Image stripes(64, 64, 3);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      std::fill_n(stripes.At(x, y), 3, static_cast<uint8_t>(x % 8 * 30));
    }
  }
  EXPECT_FALSE(PatchTemplate(*CutPatch(stripes, {32, 32}, 0)).HasTexture());
  EXPECT_FALSE(CutPatch(stripes, {6, 32}, 0));
  EXPECT_FALSE(CutPatch(stripes, {32, 59}, 0));
  EXPECT_TRUE(CutPatch(stripes, {32, 32}, 1));
}

constexpr int kImages = 5;

// Where the wall z = 0 is seen by image `id`.
Eigen::Vector2d Seen(const Eigen::Vector3d& xyz, uint32_t id) {
  const Pinhole camera = CornerCamera();
  const Rigid3 pose = CornerPose(static_cast<int>(id), 12).Inverse();
  const Eigen::Vector3d p = pose.rotation * xyz + pose.translation;
  return {camera.fx * p.x() / p.z() + camera.cx,
          camera.fy * p.y() / p.z() + camera.cy};
}

// The point of the wall z = 0 that is at `xy` in image `id`.
Eigen::Vector3d OnWall(const Eigen::Vector2d& xy, uint32_t id) {
  const Pinhole camera = CornerCamera();
  const Rigid3 pose = CornerPose(static_cast<int>(id), 12);
  const Eigen::Vector3d ray =
      pose.rotation * Eigen::Vector3d((xy.x() - camera.cx) / camera.fx,
                                      (xy.y() - camera.cy) / camera.fy,
                                      1);
  return pose.translation - pose.translation.z() / ray.z() * ray;
}

TEST(AlignObservations, BringsThemTogetherOnTheWall) {
  const TemporaryFolder folder;
  ColmapModel model;
  const Pinhole camera = CornerCamera();
  model.cameras[1] = {1,
                      camera.width,
                      camera.height,
                      {camera.fx, camera.fy, camera.cx, camera.cy}};
  std::vector<Features> features(kImages);
  std::map<uint32_t, const Features*> of_image;
  for (uint32_t id = 0; id < kImages; ++id) {
    ColmapImage& image = model.images[id];
    image.name = std::to_string(id) + ".png";
    image.camera_id = 1;
    image.camera_from_world = CornerPose(static_cast<int>(id), 12).Inverse();
    WriteImage(RenderCorner(CornerPose(static_cast<int>(id), 12)),
               folder.path() / image.name);
    of_image[id] = &features[id];
  }
  // Every observation is up to a pixel off in a direction of its own.
  std::vector<double> before;
  for (uint64_t k = 0; k < 30; ++k) {
    ColmapPoint& point = model.points[k];
    point.xyz = {0.5 + 0.1 * static_cast<double>(k % 6),
                 0.4 + 0.15 * static_cast<double>(k / 6),
                 0};
    for (uint32_t id = 0; id < kImages; ++id) {
      const double angle = 2.4 * static_cast<double>(5 * k + id);
      auto& seen = model.images[id].observations;
      point.track.push_back({id, static_cast<uint32_t>(seen.size())});
      seen.push_back({Seen(point.xyz, id) +
                          Eigen::Vector2d(std::cos(angle), std::sin(angle)),
                      static_cast<int64_t>(k)});
      features[id].keypoints.push_back({0, 0, 1.5f, 0, 0, 1.5f});
    }
  }
  const ColmapModel old = model;
  const AlignmentCounts counts =
      AlignObservations(folder.path(), of_image, 2, &SilentReport(), &model);
  EXPECT_EQ(counts.observations, 30 * kImages);
  EXPECT_GT(counts.aligned, 30 * (kImages - 1) * 7 / 10);
  std::vector<double> errors;
  for (uint64_t k = 0; k < model.points.size(); ++k) {
    const auto xy = [&](const ColmapModel& of, uint32_t id) {
      return of.images.at(id).observations[k].xy;
    };
    // The one that the others were brought to stays; it is the middle one here
    // unless it has too little around it.
    const uint32_t middle = kImages / 2;
    if (xy(model, middle) != xy(old, middle)) continue;
    const Eigen::Vector3d there = OnWall(xy(model, middle), middle);
    for (uint32_t id = 0; id < kImages; ++id) {
      if (id == middle || xy(model, id) == xy(old, id)) continue;
      errors.push_back((xy(model, id) - Seen(there, id)).norm());
    }
  }
  ASSERT_GT(errors.size(), 60u);
  std::sort(errors.begin(), errors.end());
  EXPECT_LT(errors[errors.size() / 2], 0.06);
  EXPECT_LT(errors[errors.size() * 9 / 10], 0.2);
}

}  // namespace
}  // namespace nerfpipe::sfm
