// two_rounds FOLDER: films the demo's car for two rounds in 400 frames, as
// FOLDER/two_rounds.mp4, with the true cameras in FOLDER/cameras.json as
// tests/end_to_end/pose_error reads them.

#include "data/demo/clip.h"
#include "pipeline/base/atomic_file.h"
#include "stages/media/video_writer.h"

#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>

#include <nlohmann/json.hpp>

namespace nerfpipe {
namespace {

constexpr int kFrames = 400;
constexpr int kWidth = 640;
constexpr int kHeight = 360;
constexpr double kSeconds = 19.8;  // the walk turns by 37.2 degrees in each
constexpr int kCrf = 16;

void Film(const std::filesystem::path& folder) {
  const auto scene = demo::MakeCarScene(0.6);
  demo::RenderOptions options;
  options.samples_per_pixel = 2;
  VideoWriter writer(
      folder / "two_rounds.mp4", kWidth, kHeight, kFrames / kSeconds, kCrf);
  nlohmann::json cameras = {{"frames", nlohmann::json::array()}};
  for (int i = 0; i < kFrames; ++i) {
    const demo::DemoCamera camera =
        demo::OrbitCamera(kSeconds * i / kFrames, kWidth, kHeight);
    writer.Write(RenderView(*scene, camera, options).image);
    cameras["frames"].push_back(
        {{"index", i}, {"world_from_camera", camera.world_from_camera}});
    std::fprintf(stderr, "\rframe %d of %d", i + 1, kFrames);
  }
  writer.Finish();
  std::fprintf(stderr, "\n");
  WriteFileAtomically(folder / "cameras.json", cameras.dump());
}

}  // namespace
}  // namespace nerfpipe

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: two_rounds FOLDER\n");
    return 2;
  }
  try {
    std::filesystem::create_directories(argv[1]);
    nerfpipe::Film(argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "two_rounds: %s\n", error.what());
    return 1;
  }
}
