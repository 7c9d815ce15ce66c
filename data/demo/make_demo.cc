// make_demo OUT_DIR [--stills EVERY]
//
// Renders the demo capture: car.mp4 and car_cameras.json. With --stills, every
// EVERYth frame as a JPEG instead of the video.

#include "data/demo/clip.h"
#include "pipeline/base/atomic_file.h"
#include "stages/media/image_file.h"
#include "stages/media/video_writer.h"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>

namespace nerfpipe::demo {
namespace {

// Keeps the clip under 3 MB.
constexpr int kCrf = 26;

void MakeStills(const std::filesystem::path& folder, int every) {
  const auto scene = MakeCarScene();
  for (int i = 0; i < kClipFrames; i += every) {
    char name[32];
    std::snprintf(name, sizeof(name), "%05d.jpg", i + 1);
    WriteImage(FilmFrame(*scene, FrameOfClip(i)), folder / name);
    std::fprintf(stderr, "%s\n", name);
  }
}

void MakeClip(const std::filesystem::path& folder) {
  const auto scene = MakeCarScene();
  VideoWriter writer(
      folder / "car.mp4", kClipWidth, kClipHeight, kClipFps, kCrf);
  for (int i = 0; i < kClipFrames; ++i) {
    writer.Write(FilmFrame(*scene, FrameOfClip(i)));
    std::fprintf(stderr, "\rframe %d of %d", i + 1, kClipFrames);
  }
  writer.Finish();
  std::fprintf(stderr, "\n");
  WriteFileAtomically(folder / "car_cameras.json", CamerasAsJson());
}

int Main(int argc, char** argv) {
  const bool stills = argc == 4 && std::string_view(argv[2]) == "--stills";
  const int every = stills ? std::atoi(argv[3]) : 0;
  if ((argc != 2 && !stills) || (stills && every < 1)) {
    std::fprintf(stderr, "usage: make_demo OUT_DIR [--stills EVERY]\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  if (stills) {
    MakeStills(folder, every);
  } else {
    MakeClip(folder);
  }
  return 0;
}

}  // namespace
}  // namespace nerfpipe::demo

int main(int argc, char** argv) {
  try {
    return nerfpipe::demo::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_demo: %s\n", error.what());
    return 1;
  }
}
