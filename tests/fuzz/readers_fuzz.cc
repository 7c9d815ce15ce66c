// The readers of files from disk that do without LibTorch, for libFuzzer.

#include "pipeline/engine/config.h"
#include "pipeline/engine/manifest.h"
#include "pipeline/engine/tree_digest.h"
#include "pipeline/engine/workspace.h"
#include "stages/capture/check_stage.h"
#include "stages/capture/frame_list.h"
#include "stages/colmap/features/features.h"
#include "stages/colmap/matching/two_view.h"
#include "stages/common/capture_file.h"
#include "stages/common/colmap_model_files.h"
#include "stages/common/npy.h"
#include "stages/llff/loader_check.h"
#include "stages/media/image_file.h"
#include "stages/media/video_reader.h"
#include "stages/nerf/data/json_file.h"
#include "stages/nerf/splat_files/gzip.h"
#include "stages/nerf/splat_files/ply_file.h"
#include "stages/nerf/splat_files/splat_file.h"
#include "stages/nerf/splat_files/spz_file.h"
#include "tests/fuzz/harness.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace nerfpipe::fuzz {
namespace {

namespace fs = std::filesystem;

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
  config.ReadYaml(bytes, "nerfpipe.yaml");
}

void ReadFeatures(const std::string& bytes) { sfm::ParseFeatures(bytes); }

void ReadPairs(const std::string& bytes) { sfm::ParsePairs(bytes); }

void ReadPlySplats(const std::string& bytes) {
  splats::ReadPly(bytes, "scene.ply");
}

void ReadSplatRecords(const std::string& bytes) {
  splats::ReadSplat(bytes, "scene.splat");
}

// As a whole, or packed here: no change gets past a checksum.
void ReadSpzSplats(const std::string& bytes) {
  const bool packed = bytes.substr(0, 2) == "\x1f\x8b";
  splats::ReadSpz(packed ? bytes : splats::Gzipped(bytes), "scene.spz");
}

}  // namespace

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
      {"pairs", ReadPairs},
      {"ply_splats", ReadPlySplats},
      {"splat_records", ReadSplatRecords},
      {"spz_splats", ReadSpzSplats}};
  return readers;
}

}  // namespace nerfpipe::fuzz
