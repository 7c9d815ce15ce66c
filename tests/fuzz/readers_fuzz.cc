// Feeds damaged files to the readers of files from disk, with libFuzzer or
// AFL++: NERFPIPE_READER names the reader, and without it their names are
// listed. A reader may refuse a file with UserError and in no other way. run.sh
// does all of them.

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/engine/config.h"
#include "pipeline/engine/manifest.h"
#include "pipeline/engine/tree_digest.h"
#include "pipeline/engine/workspace.h"
#include "stages/capture/check_stage.h"
#include "stages/capture/frame_list.h"
#include "stages/colmap/features.h"
#include "stages/colmap/two_view.h"
#include "stages/common/capture_file.h"
#include "stages/common/colmap_model_files.h"
#include "stages/common/npy.h"
#include "stages/llff/loader_check.h"
#include "stages/media/image_file.h"
#include "stages/media/video_reader.h"
#include "stages/nerf/data/json_file.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

namespace nerfpipe::fuzz {
namespace {

namespace fs = std::filesystem;

using Reader = void (*)(const std::string& bytes);

// NERFPIPE_FUZZ_FOLDER: best in memory, and of one process alone.
const fs::path& Folder() {
  static const fs::path folder = [] {
    const char* const name = std::getenv("NERFPIPE_FUZZ_FOLDER");
    return name == nullptr ? fs::current_path() : fs::path(name);
  }();
  return folder;
}

fs::path Written(const std::string& name, const std::string& bytes) {
  const fs::path path = Folder() / name;
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

// As many images as the seeds of the layouts name.
void WriteImagesOnce(const fs::path& folder) {
  constexpr int kImages = 6;
  static const bool written = [&] {
    fs::create_directories(folder);
    for (int i = 0; i < kImages; ++i) {
      WriteImage(Image(16, 12, 3), folder / (std::to_string(i) + ".png"));
    }
    return true;
  }();
  static_cast<void>(written);
}

void ReadAnImage(const std::string& bytes) {
  const fs::path path = Written("image.jpg", bytes);
  // Anything larger is only slow.
  const ImageHeader header = ReadImageHeader(path);
  constexpr int64_t kMostPixels = int64_t{1} << 22;
  if (static_cast<int64_t>(header.width) * header.height > kMostPixels) return;
  ReadImage(path, /*keep_alpha=*/true);
  ReadPreview(path, 64);
}

void ReadVideo(const std::string& bytes) {
  constexpr int kFrames = 4;
  VideoReader reader(Written("clip.mp4", bytes));
  constexpr int64_t kMostPixels = int64_t{1} << 22;
  if (static_cast<int64_t>(reader.info().width) * reader.info().height >
      kMostPixels) {
    return;
  }
  for (int i = 0; i < kFrames; ++i) {
    const std::optional<VideoFrame> frame = reader.Next();
    if (!frame) break;
    frame->ToImage();
    frame->ToGrayPreview(64);
  }
}

void ReadColmapBinary(const std::string& bytes) {
  ColmapModel model;
  const std::string_view rest = std::string_view(bytes).substr(!bytes.empty());
  const auto parse = bytes.empty()       ? nullptr
                     : bytes[0] % 3 == 0 ? &colmap_files::ParseCamerasBinary
                     : bytes[0] % 3 == 1 ? &colmap_files::ParseImagesBinary
                                         : &colmap_files::ParsePointsBinary;
  if (parse != nullptr) parse(rest, "model.bin", &model);
}

void ReadColmapText(const std::string& bytes) {
  ColmapModel model;
  const std::string_view rest = std::string_view(bytes).substr(!bytes.empty());
  const auto parse = bytes.empty()       ? nullptr
                     : bytes[0] % 3 == 0 ? &colmap_files::ParseCamerasText
                     : bytes[0] % 3 == 1 ? &colmap_files::ParseImagesText
                                         : &colmap_files::ParsePointsText;
  if (parse != nullptr) parse(rest, "model.txt", &model);
}

void ReadNpyFile(const std::string& bytes) { ParseNpy(bytes, "array.npy"); }

void ReadPosesBounds(const std::string& bytes) {
  const fs::path file = Written("llff/poses_bounds.npy", bytes);
  WriteImagesOnce(file.parent_path() / "images");
  LoadAsNerfPytorch(file, file.parent_path() / "images", 1);
}

void ReadCameras(const std::string& bytes) {
  const fs::path file = Written("transforms.json", bytes);
  const nlohmann::json cameras = nerf::ReadCameraJson(file);
  for (const char* field : {"w", "h", "fl_x", "camera_angle_x", "k1"}) {
    nerf::NumberIn(cameras, field, file);
  }
  for (const nlohmann::json& frame : cameras.at("frames")) {
    nerf::FilePathOf(frame, file);
    nerf::PoseOfFrame(frame, file);
  }
}

void ReadCapture(const std::string& bytes) {
  ReadCaptureFile(Written("capture.json", bytes));
}

void ReadFrames(const std::string& bytes) {
  ReadFrameList(Written("frames.json", bytes));
}

void ReadRecord(const std::string& bytes) { ManifestFromJson(bytes); }

void ReadDigests(const std::string& bytes) {
  DigestCache cache(Written("digests.json", bytes));
  cache.Digest(Folder() / "digests.json");
}

void ReadWorkspace(const std::string& bytes) {
  Workspace::Open(Written("work/.nerfpipe/workspace.json", bytes)
                      .parent_path()
                      .parent_path());
}

void ReadConfiguration(const std::string& bytes) {
  const auto stage = MakeCheckStage();
  Config config(stage->Options());
  config.ReadYaml(Written("nerfpipe.yaml", bytes), "nerfpipe.yaml");
}

void ReadFeatures(const std::string& bytes) { sfm::ParseFeatures(bytes); }

void ReadPairs(const std::string& bytes) { sfm::ParsePairs(bytes); }

const std::map<std::string, Reader>& Readers() {
  static const std::map<std::string, Reader> readers = {
      {"image", ReadAnImage},
      {"video", ReadVideo},
      {"colmap_binary", ReadColmapBinary},
      {"colmap_text", ReadColmapText},
      {"npy", ReadNpyFile},
      {"poses_bounds", ReadPosesBounds},
      {"cameras", ReadCameras},
      {"capture", ReadCapture},
      {"frames", ReadFrames},
      {"record", ReadRecord},
      {"digests", ReadDigests},
      {"workspace", ReadWorkspace},
      {"configuration", ReadConfiguration},
      {"features", ReadFeatures},
      {"pairs", ReadPairs}};
  return readers;
}

Reader TheReader() {
  const char* const name = std::getenv("NERFPIPE_READER");
  const std::map<std::string, Reader>& readers = Readers();
  const auto found = readers.find(name == nullptr ? "" : name);
  if (found == readers.end()) {
    for (const auto& [known, reader] : readers) std::puts(known.c_str());
    std::fflush(stdout);
    std::_Exit(2);
  }
  return found->second;
}

}  // namespace
}  // namespace nerfpipe::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const nerfpipe::fuzz::Reader reader = nerfpipe::fuzz::TheReader();
  try {
    reader(std::string(reinterpret_cast<const char*>(data), size));
  } catch (const nerfpipe::UserError&) {
    // As it should be.
  }
  return 0;
}
