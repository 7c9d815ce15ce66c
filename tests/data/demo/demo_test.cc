#include "data/demo/clip.h"
#include "data/demo/demo_scene.h"
#include "data/demo/synthetic_model.h"
#include "pipeline/base/atomic_file.h"

#include <cmath>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nerfpipe::demo {
namespace {

TEST(DemoCamera, HasColmapAxes) {
  // From +x towards the origin: right is +y, down is -z.
  const DemoCamera camera =
      DemoCamera::LookAt({5, 0, 1}, {0, 0, 1}, 96, 64, 100);
  const std::array<double, 12> expected = {
      0, 0, -1, 5, 1, 0, 0, 0, 0, -1, 0, 1};
  for (int i = 0; i < 12; ++i) {
    EXPECT_NEAR(camera.world_from_camera[i], expected[i], 1e-15) << i;
  }
  // Turned right by 90 degrees it looks along +y.
  const DemoCamera turned = camera.Turned(std::acos(0.0), 0, 0);
  EXPECT_NEAR(turned.world_from_camera[6], 1, 1e-15);
}

TEST(DemoCamera, ProjectsWithHalfIntegerPixelCentres) {
  const DemoCamera camera =
      DemoCamera::LookAt({5, 0, 1}, {0, 0, 1}, 96, 64, 100);
  // 4 in front of the camera, 0.02 to the right and 0.06 down: half a pixel
  // and one and a half pixels from the middle of the image.
  const Projection seen = Project(camera, {1, 0.02, 0.94});
  EXPECT_NEAR(seen.depth, 4, 1e-12);
  EXPECT_NEAR(seen.pixel.x, 48.5, 1e-12);
  EXPECT_NEAR(seen.pixel.y, 33.5, 1e-12);
}

TEST(TestScene, DepthAndColourOfTheBallAreKnown) {
  // Level with the plain ball (centre 0.1 0.05 1.15, radius 0.35), seen from
  // +x: the nearest point of it is at x = 0.45.
  const auto scene = MakeTestScene();
  const DemoCamera camera =
      DemoCamera::LookAt({3, 0.05, 1.15}, {0, 0.05, 1.15}, 9, 9, 40);
  RenderOptions options;
  options.depth = true;
  options.exposure_gain = 0.5;
  const RenderedView view = RenderView(*scene, camera, options);
  EXPECT_NEAR(view.depth[4 * 9 + 4], 2.55, 1e-12);
  // sRGB of 0.025, 0.1 and 0.2.
  const uint8_t* pixel = view.image.At(4, 4);
  EXPECT_EQ(pixel[0], 44);
  EXPECT_EQ(pixel[1], 89);
  EXPECT_EQ(pixel[2], 124);
}

// Every pixel's ray, followed to the depth that was rendered, must lead to a
// point that projects onto the pixel's centre.
void ExpectDepthAndProjectionAgree(const DemoScene& scene,
                                   const DemoCamera& camera) {
  RenderOptions options;
  options.samples_per_pixel = 1;
  options.depth = true;
  const RenderedView view = RenderView(scene, camera, options);
  for (int y = 0; y < camera.height; ++y) {
    for (int x = 0; x < camera.width; ++x) {
      const Ray ray = PixelRay(camera, {x + 0.5, y + 0.5});
      const double depth = view.depth[y * camera.width + x];
      const Projection seen =
          Project(camera, ray.origin + ray.direction * depth);
      ASSERT_NEAR(seen.pixel.x, x + 0.5, 1e-9);
      ASSERT_NEAR(seen.pixel.y, y + 0.5, 1e-9);
      ASSERT_NEAR(seen.depth, depth, 1e-9);
    }
  }
}

TEST(TestScene, DepthAndProjectionAgree) {
  ExpectDepthAndProjectionAgree(*MakeTestScene(), TestOrbit(5, 48, 32)[2]);
}

TEST(CarScene, IsTheSameForAnyNumberOfThreads) {
  const ClipFrame sharp = FrameOfClip(20, 96, 54);
  const ClipFrame blurred = FrameOfClip(47, 96, 54);
  ASSERT_FALSE(sharp.blurred);
  ASSERT_TRUE(blurred.blurred);
  const auto one = MakeCarScene(1.0 / 16, 1);
  const auto two = MakeCarScene(1.0 / 16, 2);
  EXPECT_EQ(FilmFrame(*one, sharp, 1).pixels, FilmFrame(*two, sharp, 2).pixels);
  EXPECT_EQ(FilmFrame(*one, blurred, 1).pixels,
            FilmFrame(*two, blurred, 2).pixels);
  ExpectDepthAndProjectionAgree(*one, sharp.camera);
}

TEST(CarScene, IsHitWhereItStands) {
  const auto scene = MakeCarScene(1.0 / 16, 2);
  // Straight down on the ball (top at 0.84) and on the empty mat.
  EXPECT_NEAR(scene->Trace({{-2.0, -2.5, 5}, {0, 0, -1}}).distance, 4.16, 1e-5);
  EXPECT_NEAR(scene->Trace({{4.0, -3.5, 5}, {0, 0, -1}}).distance, 5, 1e-12);
  // Level at the front plate, whose face is at x = 2.18.
  EXPECT_NEAR(scene->Trace({{4, 0.1, 0.42}, {-1, 0, 0}}).distance, 1.82, 1e-5);
}

TEST(CarScene, HasAColourInTheSlitBetweenTwoBlocks) {
  // The blocks touch at z = 0.72, where distances have no slope.
  const auto scene = MakeCarScene(1.0 / 16, 2);
  const Ray ray{{-2.75, 5, 0.72}, {0, -1, 0}};
  const Vec3 color = scene->Shade(ray, scene->Trace(ray), 1e-3);
  EXPECT_TRUE(std::isfinite(color.x + color.y + color.z));
}

TEST(Clip, CommittedCamerasAreThoseOfTheProgram) {
  const auto json = nlohmann::json::parse(
      ReadFile(std::string(DEMO_FOLDER) + "/car_cameras.json"));
  ASSERT_EQ(json["frames"].size(), static_cast<size_t>(kClipFrames));
  EXPECT_EQ(json["width"], kClipWidth);
  EXPECT_EQ(json["height"], kClipHeight);
  EXPECT_NEAR(json["fx"].get<double>(), OrbitCamera(0).fx, 1e-9);
  for (int i = 0; i < kClipFrames; ++i) {
    const auto& row = json["frames"][i];
    const ClipFrame frame = FrameOfClip(i);
    EXPECT_EQ(row["index"], i);
    EXPECT_EQ(row["blurred"], frame.blurred);
    EXPECT_NEAR(row["time"].get<double>(), frame.time, 1e-6);
    for (int k = 0; k < 12; ++k) {
      ASSERT_NEAR(row["world_from_camera"][k].get<double>(),
                  frame.camera.world_from_camera[k],
                  1e-9);
    }
  }
}

TEST(SyntheticModel, HasNoErrorsAndOnlyVisiblePoints) {
  const auto scene = MakeTestScene();
  const auto cameras = TestOrbit(8, 96, 64);
  std::vector<std::string> names;
  for (int i = 0; i < 8; ++i) names.push_back(std::to_string(i) + ".png");
  const ColmapModel model = MakeSyntheticModel(*scene, cameras, names, 300);
  EXPECT_GT(model.points.size(), 200u);
  EXPECT_LT(MeanReprojectionError(model), 1e-9);
  size_t observations = 0;
  for (const auto& [id, point] : model.points) {
    EXPECT_GE(point.track.size(), 2u);
    std::set<uint32_t> images;
    for (const auto& element : point.track) {
      images.insert(element.image_id);
      const auto& seen =
          model.images.at(element.image_id).observations[element.observation];
      EXPECT_EQ(seen.point3d_id, static_cast<int64_t>(id));
      const DemoCamera& camera = cameras[element.image_id - 1];
      const Ray ray = PixelRay(camera, {seen.xy.x(), seen.xy.y()});
      const double depth =
          Project(camera, {point.xyz.x(), point.xyz.y(), point.xyz.z()}).depth;
      EXPECT_NEAR(scene->Trace(ray).distance, depth, 1e-3);
    }
    EXPECT_EQ(images.size(), point.track.size());
    observations += point.track.size();
  }
  size_t listed = 0;
  for (const auto& [id, image] : model.images) {
    listed += image.observations.size();
  }
  EXPECT_EQ(observations, listed);
}

}  // namespace
}  // namespace nerfpipe::demo
