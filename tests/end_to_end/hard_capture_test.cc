// Captures that are known to make reconstructions fail, each with its truth:
// solved to the right cameras, or refused for the right reason.

#include "data/demo/demo_scene.h"
#include "pipeline/base/report.h"
#include "pipeline/engine/stage.h"
#include "stages/capture/check_stage.h"
#include "stages/capture/extract_stage.h"
#include "stages/colmap/colmap_stage.h"
#include "stages/common/capture_file.h"
#include "stages/common/colmap_model.h"
#include "stages/media/video_writer.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <functional>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

#include <Eigen/Geometry>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;
using demo::DemoCamera;
using demo::DemoScene;
using demo::Vec3;
using ::testing::HasSubstr;

constexpr int kWidth = 640;
constexpr int kHeight = 360;
constexpr double kFocal = 520;
constexpr double kRadius = 3;

// On a circle round the middle of the test scene.
DemoCamera OrbitCamera(double degrees) {
  const double angle = degrees * std::numbers::pi / 180;
  return DemoCamera::LookAt({kRadius * std::cos(angle),
                             kRadius * std::sin(angle),
                             1.5 + 0.2 * std::sin(2 * angle)},
                            {0, 0, 0.7},
                            kWidth,
                            kHeight,
                            kFocal);
}

Image Film(const DemoScene& scene, const DemoCamera& camera, double gain = 1) {
  demo::RenderOptions options;
  options.samples_per_pixel = 2;
  options.exposure_gain = gain;
  return RenderView(scene, camera, options).image;
}

// The things of the test scene turned about the vertical by an angle, in the
// room as it was.
class Turntable : public DemoScene {
 public:
  Turntable(const DemoScene& scene, double degrees)
      : scene_(scene),
        cos_(std::cos(degrees * std::numbers::pi / 180)),
        sin_(std::sin(degrees * std::numbers::pi / 180)) {}

  Hit Trace(const demo::Ray& ray) const override {
    const Hit turned = scene_.Trace(TurnedBack(ray));
    return IsThing(turned) ? turned : scene_.Trace(ray);
  }
  Vec3 Shade(const demo::Ray& ray,
             const Hit& hit,
             double spread) const override {
    return scene_.Shade(IsThing(hit) ? TurnedBack(ray) : ray, hit, spread);
  }

 private:
  // Walls and floor are the first two parts of the test scene.
  static bool IsThing(const Hit& hit) { return hit.part >= 2; }
  Vec3 TurnedBack(Vec3 v) const {
    return {cos_ * v.x + sin_ * v.y, cos_ * v.y - sin_ * v.x, v.z};
  }
  demo::Ray TurnedBack(const demo::Ray& ray) const {
    return {TurnedBack(ray.origin), TurnedBack(ray.direction)};
  }

  const DemoScene& scene_;
  double cos_, sin_;
};

Image Smeared(const Image& image, int reach) {
  Image result = image;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        int sum = 0;
        for (int d = -reach; d <= reach; ++d) {
          sum += image.At(std::clamp(x + d, 0, image.width - 1), y)[c];
        }
        result.At(x, y)[c] = static_cast<uint8_t>(sum / (2 * reach + 1));
      }
    }
  }
  return result;
}

class HardCapture : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_ / "scratch"); }

  // Films `count` frames and runs the stages up to colmap, or to the first that
  // fails; `target` frames are taken, or every `every`-th.
  StageResult Solve(int count,
                    int target,
                    const std::function<Image(int)>& frame,
                    int every = 0) {
    VideoWriter writer(folder_ / "clip.mp4", kWidth, kHeight, 30, 14);
    for (int i = 0; i < count; ++i) writer.Write(frame(i));
    writer.Finish();
    StageContext context;
    context.capture = folder_ / "clip.mp4";
    context.workspace = context.out = folder_;
    context.scratch = folder_ / "scratch";
    context.threads = 2;
    context.report = &SilentReport();
    const std::unique_ptr<Stage> extract = MakeExtractStage();
    extract->Options()[0].Find("target")->set(std::to_string(target));
    extract->Options()[0].Find("every")->set(std::to_string(every));
    StageResult result = extract->Run(context);
    if (result.state == StageResult::State::kDone) {
      result = MakeCheckStage()->Run(context);
      card_ = result.facts.value("check", nlohmann::json());
    }
    if (result.state == StageResult::State::kDone) {
      const std::unique_ptr<Stage> colmap = sfm::MakeColmapStage();
      colmap->Options()[0].Find("max_features")->set("2000");
      result = colmap->Run(context);
      verdict_ = result.facts.value(
          nlohmann::json::json_pointer("/reconstruction/verdict"), "none");
    }
    return result;
  }

  // Errors of the cameras' positions after alignment, in parts of kRadius, and
  // of their directions in degrees, both ascending; `truth` by number in the
  // clip. Of the frames of capture.json.
  std::array<std::vector<double>, 2> Errors(
      const std::function<DemoCamera(int)>& truth) const {
    const CaptureFile capture = ReadCaptureFile(folder_ / "capture.json");
    const ColmapModel model = ReadColmapModel(folder_ / "sparse/0");
    std::vector<Eigen::Vector3d> centres;  // found, then true
    std::vector<Eigen::Vector3d> true_centres;
    std::vector<Eigen::Matrix3d> rotations;  // found, then true
    std::vector<Eigen::Matrix3d> true_rotations;
    for (const auto& [id, image] : model.images) {
      const auto frame = std::find_if(
          capture.frames.begin(),
          capture.frames.end(),
          [&name = image.name](const auto& f) { return f.name == name; });
      if (frame == capture.frames.end()) continue;
      const DemoCamera camera = truth(static_cast<int>(frame->index));
      const auto& m = camera.world_from_camera;
      const Rigid3 pose = image.camera_from_world.Inverse();
      centres.push_back(pose.translation);
      true_centres.emplace_back(m[3], m[7], m[11]);
      rotations.push_back(pose.rotation);
      Eigen::Matrix3d& rotation = true_rotations.emplace_back();
      rotation << m[0], m[1], m[2], m[4], m[5], m[6], m[8], m[9], m[10];
    }
    const Eigen::Map<const Eigen::Matrix3Xd> found(
        centres[0].data(), 3, static_cast<Eigen::Index>(centres.size()));
    const Eigen::Map<const Eigen::Matrix3Xd> wanted(
        true_centres[0].data(), 3, found.cols());
    const Eigen::Matrix4d align = Eigen::umeyama(found, wanted);
    const Eigen::Matrix3Xd aligned =
        (align * found.colwise().homogeneous()).colwise().hnormalized();
    const double scale = align.block<3, 1>(0, 0).norm();
    std::vector<double> positions;
    std::vector<double> degrees;
    for (size_t i = 0; i < rotations.size(); ++i) {
      const auto at = static_cast<Eigen::Index>(i);
      positions.push_back((aligned - wanted).col(at).norm() / kRadius);
      const Eigen::Matrix3d turned =
          align.block<3, 3>(0, 0) / scale * rotations[i];
      degrees.push_back(
          Eigen::AngleAxisd(turned.transpose() * true_rotations[i]).angle() *
          180 / std::numbers::pi);
    }
    std::sort(positions.begin(), positions.end());
    std::sort(degrees.begin(), degrees.end());
    // Never wrong in silence.
    EXPECT_FALSE(positions.back() > 0.05 && verdict_ == "good");
    return {positions, degrees};
  }

  void ExpectRight(const std::function<DemoCamera(int)>& truth) const {
    const auto [positions, degrees] = Errors(truth);
    EXPECT_LT(positions.back(), 0.02);
    EXPECT_LT(degrees.back(), 0.6);
    EXPECT_EQ(verdict_, "good");
  }

  // "good", "fair" or "bad": what was said of `item` before any camera was
  // found.
  std::string Foretold(const std::string& item) const {
    for (const auto& verdict : card_.at("items")) {
      if (verdict.at("item") == item) return verdict.at("verdict");
    }
    return "nothing";
  }

  static int Registered(const StageResult& result) {
    return result.facts["frames"]["registered"];
  }

  const std::unique_ptr<DemoScene> scene_ = demo::MakeTestScene();
  const TemporaryFolder folder_;
  nlohmann::json card_;
  std::string verdict_;  // on the cameras
};

TEST_F(HardCapture, AHastyStretchGetsMoreFrames) {
  // Of 230 degrees 110 pass in 11 of 131 frames: equal steps of time would take
  // three of those, 30 degrees and more apart.
  const auto camera = [](int i) {
    const double quick = std::clamp(i - 60, 0, 11);
    return OrbitCamera(1.0 * (i - quick) + 10 * quick);
  };
  const StageResult result =
      Solve(131, 36, [&](int i) { return Film(*scene_, camera(i)); });
  ASSERT_EQ(result.state, StageResult::State::kDone) << result.line;
  EXPECT_TRUE(result.facts["reconstruction"]["unregistered"].empty())
      << result.facts;
  ExpectRight(camera);
  EXPECT_EQ(Foretold("overlap"), "good") << card_;
  EXPECT_EQ(Foretold("movement"), "good") << card_;
  EXPECT_EQ(Foretold("sharpness"), "good") << card_;
}

TEST_F(HardCapture, AGapIsFilledWithMoreFrames) {
  // The same haste, but every fourth frame is taken: 40 degrees apart in the
  // middle, where the walk falls into two parts.
  const auto camera = [](int i) {
    const double quick = std::clamp(i - 60, 0, 11);
    return OrbitCamera(1.0 * (i - quick) + 10 * quick);
  };
  const StageResult result = Solve(
      131, 36, [&](int i) { return Film(*scene_, camera(i)); }, /*every=*/4);
  ASSERT_EQ(result.state, StageResult::State::kDone) << result.line;
  EXPECT_EQ(Registered(result), 33) << result.facts;
  EXPECT_GE(result.facts["frames"]["added"], 3) << result.facts;
  EXPECT_TRUE(fs::exists(folder_ / "colmap/frames/00017_1.jpg"));
  ExpectRight(camera);
  EXPECT_EQ(Foretold("overlap"), "bad") << card_;
}

TEST_F(HardCapture, TwoPlacesMakeTwoModels) {
  const std::unique_ptr<DemoScene> other = demo::MakeCarScene(0.25);
  constexpr int kFirst = 24;
  const auto camera = [](int i) { return OrbitCamera(6.0 * i); };
  const StageResult result = Solve(40, 100, [&](int i) {
    if (i < kFirst) return Film(*scene_, camera(i));
    const double angle = 0.1 * i;
    return Film(
        *other,
        DemoCamera::LookAt({7 * std::cos(angle), 7 * std::sin(angle), 3},
                           {0, 0, 0.6},
                           kWidth,
                           kHeight,
                           kFocal));
  });
  ASSERT_EQ(result.state, StageResult::State::kDone) << result.line;
  // The frame at the cut may count as blurred.
  EXPECT_GE(Registered(result), kFirst - 1) << result.facts;
  const auto& unregistered = result.facts["reconstruction"]["unregistered"];
  EXPECT_EQ(unregistered.size(), 16u) << result.facts;
  for (const auto& [name, reason] : unregistered.items()) {
    EXPECT_THAT(reason.get<std::string>(), HasSubstr("in a part of its own"));
  }
  EXPECT_EQ(Foretold("overlap"), "bad") << card_;
  ExpectRight(camera);
}

TEST_F(HardCapture, BlurredFramesAreLeftOut) {
  const auto camera = [](int i) { return OrbitCamera(5.0 * i); };
  const StageResult result = Solve(50, 100, [&](int i) {
    const Image image = Film(*scene_, camera(i));
    return i % 5 == 2 ? Smeared(image, 12) : image;
  });
  EXPECT_EQ(Foretold("sharpness"), "fair") << card_;
  ASSERT_EQ(result.state, StageResult::State::kDone) << result.line;
  EXPECT_EQ(Registered(result), 40) << result.facts;
  ExpectRight(camera);
}

TEST_F(HardCapture, ExposureMayRampByTwoStops) {
  const auto camera = [](int i) { return OrbitCamera(5.0 * i); };
  const StageResult result = Solve(40, 100, [&](int i) {
    return Film(*scene_, camera(i), std::exp2(-1 + 2 * i / 39.0));
  });
  EXPECT_EQ(Foretold("exposure"), "fair") << card_;
  ASSERT_EQ(result.state, StageResult::State::kDone) << result.line;
  EXPECT_EQ(Registered(result), 40) << result.facts;
  ExpectRight(camera);
}

TEST_F(HardCapture, ACameraThatTurnsOnTheSpotIsRefused) {
  const DemoCamera still = OrbitCamera(0);
  const StageResult result = Solve(30, 100, [&](int i) {
    return Film(*scene_, still.Turned(0.03 * i, 0.1 * std::sin(0.3 * i), 0));
  });
  EXPECT_EQ(result.state, StageResult::State::kFailed);
  EXPECT_THAT(result.line, HasSubstr("the camera turns on the spot"));
  EXPECT_EQ(Foretold("movement"), "bad") << card_;
}

TEST_F(HardCapture, AStillCameraIsRefused) {
  const Image image = Film(*scene_, OrbitCamera(0));
  const StageResult result = Solve(30, 100, [&](int) { return image; });
  EXPECT_EQ(result.state, StageResult::State::kFailed);
  EXPECT_THAT(result.line, HasSubstr("the camera does not move"));
}

TEST_F(HardCapture, ATurntableIsSolvedByWhatMoves) {
  // As if the camera went round the other way, on a level circle.
  const auto place = [](double degrees) {
    const double angle = degrees * std::numbers::pi / 180;
    return DemoCamera::LookAt(
        {2.2 * std::cos(angle), 2.2 * std::sin(angle), 1.4},
        {0, 0, 0.7},
        kWidth,
        kHeight,
        kFocal);
  };
  const StageResult result = Solve(60, 100, [&](int i) {
    return Film(Turntable(*scene_, 6.0 * i), place(0));
  });
  EXPECT_EQ(Foretold("movement"), "fair") << card_;
  ASSERT_EQ(result.state, StageResult::State::kDone) << result.line;
  // Few pixels move, all near the middle: a frame or two may be missing, and
  // the lens is not well known.
  EXPECT_GE(Registered(result), 54) << result.facts;
  const auto [positions, degrees] =
      Errors([&](int i) { return place(-6.0 * i); });
  EXPECT_LT(positions[positions.size() * 9 / 10], 0.02);
  EXPECT_LT(degrees[degrees.size() * 9 / 10], 1.5);
}

TEST_F(HardCapture, AFrameFromElsewhereIsLeftOut) {
  const std::unique_ptr<DemoScene> other = demo::MakeCarScene(0.25);
  const auto camera = [](int i) { return OrbitCamera(5.0 * i); };
  const StageResult result = Solve(30, 100, [&](int i) {
    return i == 13 ? Film(*other,
                          DemoCamera::LookAt(
                              {7, 1, 3}, {0, 0, 0.6}, kWidth, kHeight, kFocal))
                   : Film(*scene_, camera(i));
  });
  ASSERT_EQ(result.state, StageResult::State::kDone) << result.line;
  EXPECT_EQ(Registered(result), 29) << result.facts;
  EXPECT_TRUE(
      result.facts["reconstruction"]["unregistered"].contains("00014.jpg"))
      << result.facts;
  EXPECT_EQ(Foretold("overlap"), "fair") << card_;
  ExpectRight(camera);
}

}  // namespace
}  // namespace nerfpipe
