// Videos as a player reads them, of scenes that are known in advance.

#include "stages/nerf/jobs/rendering.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/media/image_file.h"
#include "stages/media/video_reader.h"
#include "stages/nerf/jobs/images.h"
#include "tests/stages/nerf/jobs/known_scene.h"
#include "tests/temporary_folder.h"

#include <cmath>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class RenderingTest : public ::testing::Test {
 protected:
  RenderingTest() {
    WriteWall(folder_ / "train/nerf", {-1, 0.5, 1.5});
    // Along the cameras, which all look the same way.
    settings_.path = "interpolate";
    settings_.frames = 5;
  }

  StageResult Render() {
    RenderJob job;
    job.trained = {folder_ / "train/nerf"};
    job.settings = settings_;
    job.out = folder_ / "out";
    job.name_after_path = name_after_path_;
    job.scratch = folder_ / "scratch";
    job.device = "cpu";
    job.report = &SilentReport();
    for (const fs::path& path : {job.out, job.scratch}) {
      fs::remove_all(path);
      fs::create_directories(path);
    }
    return nerfpipe::Render(job);
  }

  // Where red, green and blue of every pixel are these, but for a little.
  static void ExpectColour(const Image& image,
                           const std::array<int, 3>& colour,
                           int tolerance) {
    for (size_t i = 0; i < image.pixels.size(); ++i) {
      ASSERT_LE(std::abs(image.pixels[i] - colour[i % 3]), tolerance) << i;
    }
  }

  const TemporaryFolder folder_;
  RenderSettings settings_;
  bool name_after_path_ = false;
};

// The wall has one colour, and one depth: colours of depths go from the nearest
// to the farthest of the data set, 4 to 40.
TEST_F(RenderingTest, BothVideosPlayAsAsked) {
  settings_.fps = 12.5;
  settings_.width = 33;  // of 81 x 61
  const StageResult result = Render();
  EXPECT_EQ(result.line,
            "nerf, interpolate, 5 frames of 33x25: renders/interpolate.mp4");
  EXPECT_EQ(result.facts["render"]["frames"], 5);
  EXPECT_EQ(result.facts["results"]["video"], "renders/interpolate.mp4");
  EXPECT_EQ(result.facts["results"]["depth_video"],
            "renders/interpolate_depth.mp4");
  const std::array<int, 3> wall = {69, 159, 208};  // 255 sigmoids
  const Image depth = DepthImage(
      torch::full({1, 1}, kWallDepth + 0.03), torch::ones({1, 1}), {4, 40});
  const std::array<int, 3> far = {
      depth.pixels[0], depth.pixels[1], depth.pixels[2]};
  for (const auto& [name, colour] :
       {std::pair("renders/interpolate", wall),
        std::pair("renders/interpolate_depth", far)}) {
    const fs::path file = folder_ / "out" / name;
    VideoReader reader(file.string() + ".mp4");
    EXPECT_EQ(reader.info().frames, 5);
    EXPECT_NEAR(reader.info().frames_per_second, 12.5, 1e-6);
    EXPECT_NEAR(reader.info().duration, 0.4, 1e-3);
    EXPECT_EQ(reader.info().width, 34);  // even, for the codec
    EXPECT_EQ(reader.info().height, 26);
    EXPECT_EQ(reader.info().codec, "h264");
    int frames = 0;
    while (const auto frame = reader.Next()) {
      EXPECT_NEAR(frame->time(), 0.08 * frames++, 1e-3);
      ExpectColour(frame->ToImage(), colour, 6);
    }
    EXPECT_EQ(frames, 5);
    const Image poster = ReadImage(file.string() + ".png");
    EXPECT_EQ(poster.width, 33);
    EXPECT_EQ(poster.height, 25);
    ExpectColour(poster, colour, 2);
  }
}

TEST_F(RenderingTest, SizeIsByScaleUnlessItIsSaid) {
  const auto size = [&] {
    settings_.frames = 1;
    Render();
    const ImageSize found =
        ReadImageSize(folder_ / "out/renders/interpolate.png");
    return std::to_string(found.width) + "x" + std::to_string(found.height);
  };
  EXPECT_EQ(size(), "81x61");
  settings_.scale = 0.4;
  EXPECT_EQ(size(), "32x24");
  settings_.height = 21;
  EXPECT_EQ(size(), "28x21");
  settings_.width = 19;
  EXPECT_EQ(size(), "19x21");
}

TEST_F(RenderingTest, VideosAreNamedAfterThePath) {
  settings_.frames = 1;
  settings_.width = 20;
  settings_.path = "auto";
  EXPECT_THAT(RenderOutputs(settings_),
              ::testing::ElementsAre("renders/video.mp4",
                                     "renders/video_depth.mp4",
                                     "renders/video.png",
                                     "renders/video_depth.png"));
  StageResult result = Render();
  EXPECT_EQ(result.facts["render"]["path"], "spiral");
  EXPECT_TRUE(fs::exists(folder_ / "out/renders/video.mp4"));
  name_after_path_ = true;
  result = Render();
  EXPECT_EQ(result.facts["results"]["video"], "renders/spiral.mp4");
  EXPECT_TRUE(fs::exists(folder_ / "out/renders/spiral_depth.png"));
}

TEST_F(RenderingTest, QualityIsThatOfCrf) {
  settings_.path = "spiral";
  const auto bytes = [&](int crf) {
    settings_.crf = crf;
    Render();
    return fs::file_size(folder_ / "out/renders/spiral_depth.mp4");
  };
  EXPECT_GT(bytes(1), bytes(50));
}

TEST_F(RenderingTest, WhatIsMissingIsNamed) {
  const auto problem = [&] {
    try {
      Render();
    } catch (const UserError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  const fs::path scene = folder_ / "train/nerf/scene.json";
  const std::string text = ReadFile(scene);
  for (const std::string& damaged : {text.substr(0, text.size() / 2),
                                     std::string("{}"),
                                     std::string("[]")}) {
    WriteFileAtomically(scene, damaged);
    EXPECT_THAT(problem(),
                AllOf(HasSubstr(scene.string()), HasSubstr("train the scene")));
  }
  WriteFileAtomically(
      scene, R"({"factor": 1, "llffhold": 8, "train": [], "test": []})");
  EXPECT_THAT(problem(), HasSubstr("has no cameras"));
  WriteFileAtomically(scene, text);
  fs::remove(folder_ / "train/nerf/checkpoint.pt");
  EXPECT_THAT(problem(), HasSubstr("checkpoint.pt cannot be read"));
}

TEST(SceneFileTest, KeepsCamerasBoundsAndSplit) {
  const TemporaryFolder folder;
  nerf::Dataset dataset = nerf::Grid();
  dataset.test.push_back(dataset.train.back());
  dataset.train.pop_back();
  dataset.train[3].near = dataset.train[3].far = 0;  // gets those of all
  dataset.train[4].near = 5;
  WriteSceneFile({dataset, 3, 7}, folder / "scene.json");
  const SceneFile read = ReadSceneFile(folder / "scene.json");
  EXPECT_EQ(read.factor, 3);
  EXPECT_EQ(read.llffhold, 7);
  ASSERT_EQ(read.views.train.size(), 19);
  ASSERT_EQ(read.views.test.size(), 1);
  for (size_t i = 0; i < 19; ++i) {
    const nerf::View& found = read.views.train[i];
    const nerf::View& view = dataset.train[i];
    EXPECT_EQ(found.name, view.name);
    EXPECT_EQ(found.near, i == 3 ? 4 : view.near);
    EXPECT_EQ(found.far, 40);
    EXPECT_EQ(found.camera.width, view.camera.width);
    EXPECT_EQ(found.camera.height, view.camera.height);
    EXPECT_EQ(found.camera.fx, view.camera.fx);
    EXPECT_EQ(found.camera.fy, view.camera.fy);
    EXPECT_EQ(found.camera.cx, view.camera.cx);
    EXPECT_EQ(found.camera.cy, view.camera.cy);
    EXPECT_EQ(found.camera.world_from_camera, view.camera.world_from_camera);
  }
}

}  // namespace
}  // namespace nerfpipe
