#include "stages/colmap/refinement/added_points.h"

#include "stages/colmap/refinement/point_colours.h"

#include <map>
#include <vector>

#include <Eigen/Geometry>
#include <colmap/math/random.h>
#include <colmap/scene/camera.h>
#include <colmap/scene/synthetic.h>
#include <gtest/gtest.h>

namespace nerfpipe::sfm {
namespace {

// On a line, looking along z; 1000 pixels are one unit at depth 1.
std::vector<View> Row(int count) {
  std::vector<View> views;
  for (int i = 0; i < count; ++i) {
    views.push_back(
        {Eigen::Matrix3d::Identity(), Eigen::Vector3d(-0.5 * i, 0, 0), 1000});
  }
  return views;
}

Ray Seeing(const View& view, const Eigen::Vector3d& point) {
  return {&view, (view.rotation * point + view.translation).hnormalized()};
}

TEST(Triangulate, FindsThePointOnWhichMostRaysAgree) {
  const Eigen::Vector3d point(0.7, -0.2, 5);
  const std::vector<View> views = Row(6);
  std::vector<Ray> rays;
  for (const View& view : views) rays.push_back(Seeing(view, point));
  rays[2].seen.y() += 0.05;  // 50 pixels
  const Triangulation found = Triangulate(rays, {});
  EXPECT_EQ(found.rays, 5);
  EXPECT_EQ(found.belongs,
            std::vector<bool>({true, true, false, true, true, true}));
  EXPECT_LT((found.point - point).norm(), 1e-9);
  EXPECT_NEAR(SquaredError(rays[2], found.point), 2500, 1e-3);
}

TEST(Triangulate, RefusesWhatHasNoParallaxOrLiesBehind) {
  const std::vector<View> views = Row(3);
  std::vector<Ray> far;
  std::vector<Ray> behind;
  for (const View& view : views) {
    far.push_back(Seeing(view, {0, 0, 60}));  // 1 unit at 60: 0.95 degrees
    behind.push_back(Seeing(view, {0, 0, -5}));
  }
  EXPECT_EQ(Triangulate(far, {}).rays, 0);
  EXPECT_EQ(Triangulate(behind, {}).rays, 0);
  TriangulationRules rules;
  rules.min_angle = 0.9;
  EXPECT_EQ(Triangulate(far, rules).rays, 3);
}

TEST(RefinePoint, ALossKeepsAStrayRayFromPulling) {
  const Eigen::Vector3d point(0.7, -0.2, 5);
  const std::vector<View> views = Row(8);
  std::vector<Ray> rays;
  for (const View& view : views) rays.push_back(Seeing(view, point));
  rays[5].seen.y() += 0.003;  // 3 pixels
  const double pulled = (RefinePoint(rays, 0, point) - point).norm();
  EXPECT_GT(pulled, 1e-3);
  EXPECT_LT((RefinePoint(rays, 0.5, point) - point).norm(), pulled / 10);
}

// Twelve cameras round 60 points, and what their matches are. Image numbers are
// identifiers less one.
struct Scene {
  colmap::Reconstruction model;
  std::vector<Features> features{12};
  std::vector<MatchedPair> pairs;

  Scene() {
    colmap::SetPRNGSeed(4);
    colmap::SyntheticDatasetOptions options;
    options.num_cameras = 1;
    options.num_images = 12;
    options.num_points3D = 60;
    colmap::SynthesizeDataset(options, &model);
    std::map<std::pair<int, int>, MatchedPair> found;
    for (const auto& [id, point] : model.Points3D()) {
      const auto& track = point.track.Elements();
      for (size_t i = 0; i + 1 < track.size(); ++i) {
        auto a = track[i];
        auto b = track[i + 1];
        if (a.image_id > b.image_id) std::swap(a, b);
        found[{a.image_id - 1, b.image_id - 1}].geometry.inliers.push_back(
            {a.point2D_idx, b.point2D_idx});
      }
    }
    for (auto& [images, pair] : found) {
      pair.first = images.first;
      pair.second = images.second;
      pairs.push_back(pair);
    }
    for (int i = 0; i < 12; ++i) {
      features[i].keypoints.resize(model.Image(i + 1).NumPoints2D());
    }
  }
};

TEST(AddPoints, BringsBackWhatTheModelLost) {
  Scene scene;
  const std::unordered_map<colmap::point3D_t, colmap::Point3D> truth =
      scene.model.Points3D();
  ASSERT_EQ(truth.size(), 60u);
  // Some points lose a part of their track, others all of it.
  std::map<std::vector<std::pair<uint32_t, uint32_t>>, Eigen::Vector3d> tracks;
  for (const auto& [id, point] : truth) {
    std::vector<std::pair<uint32_t, uint32_t>> track;
    for (const auto& seen : point.track.Elements()) {
      track.emplace_back(seen.image_id, seen.point2D_idx);
    }
    std::sort(track.begin(), track.end());
    tracks[track] = point.xyz;
    if (id % 3 == 0) {
      scene.model.DeletePoint3D(id);
    } else if (id % 3 == 1) {
      scene.model.DeleteObservation(track[0].first, track[0].second);
    }
  }
  AddPoints(scene.pairs, scene.features, {}, 2, &scene.model);
  ASSERT_EQ(scene.model.NumPoints3D(), truth.size());
  for (const auto& [id, point] : scene.model.Points3D()) {
    std::vector<std::pair<uint32_t, uint32_t>> track;
    for (const auto& seen : point.track.Elements()) {
      track.emplace_back(seen.image_id, seen.point2D_idx);
    }
    std::sort(track.begin(), track.end());
    ASSERT_TRUE(tracks.contains(track)) << id;
    EXPECT_LT((point.xyz - tracks[track]).norm(), 1e-6);
  }
}

TEST(RefinePoints, MovesEachToItsRays) {
  Scene scene;
  const auto truth = scene.model.Points3D();
  for (const auto& [id, point] : truth) {
    scene.model.Point3D(id).xyz += Eigen::Vector3d(0.02, -0.01, 0.01);
  }
  RefinePoints(/*loss_scale=*/0, 2, &scene.model);
  for (const auto& [id, point] : truth) {
    EXPECT_LT((scene.model.Point3D(id).xyz - point.xyz).norm(), 1e-6);
  }
}

TEST(ColourPoints, TakesTheMeanOfTheObservations) {
  std::vector<Features> features(2);
  features[0].keypoints.resize(2);
  features[1].keypoints.resize(1);
  features[0].keypoints[1].rgba = {10, 0, 255, 255};
  features[1].keypoints[0].rgba = {21, 0, 255, 255};
  ColmapModel model;
  model.points[7].track = {{1, 1}, {2, 0}};
  ColourPoints(features, &model);
  EXPECT_EQ(model.points[7].rgb[0], 16);
  EXPECT_EQ(model.points[7].rgb[1], 0);
  EXPECT_EQ(model.points[7].rgb[2], 255);
}

}  // namespace
}  // namespace nerfpipe::sfm
