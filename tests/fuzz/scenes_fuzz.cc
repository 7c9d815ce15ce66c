// The readers of files from disk that use LibTorch.

#include "pipeline/base/report.h"
#include "stages/nerf/checkpoint.h"
#include "stages/nerf/data/read_dataset.h"
#include "stages/nerf/jobs/scene_file.h"
#include "tests/fuzz/harness.h"

#include <filesystem>
#include <map>
#include <string>

#include <torch/serialize/archive.h>

namespace nerfpipe::fuzz {
namespace {

namespace fs = std::filesystem;

void ReadScene(const fs::path& folder) {
  nerf::ReadOptions options;
  options.factor = 1;
  options.memory = int64_t{64} << 20;
  nerf::ReadDataset(folder, options, SilentReport());
}

void ReadLlff(const std::string& bytes) {
  const fs::path file = Written("llff/poses_bounds.npy", bytes);
  WriteImagesOnce(file.parent_path() / "images");
  ReadScene(file.parent_path());
}

void ReadTransforms(const std::string& bytes) {
  const fs::path file = Written("transforms/transforms.json", bytes);
  WriteImagesOnce(file.parent_path() / "images");
  ReadScene(file.parent_path());
}

void ReadSynthetic(const std::string& bytes) {
  const fs::path file = Written("synthetic/transforms_train.json", bytes);
  Written("synthetic/transforms_test.json", bytes);
  WriteImagesOnce(file.parent_path() / "images");
  ReadScene(file.parent_path());
}

// The text files of a model, one behind the other, each behind a line "--".
void ReadColmap(const std::string& bytes) {
  std::string rest = bytes;
  fs::path folder;
  for (const char* name : {"cameras.txt", "images.txt", "points3D.txt"}) {
    const size_t end = rest.find("--\n");
    folder =
        Written(std::string("colmap/sparse/0/") + name, rest.substr(0, end))
            .parent_path();
    rest = end == std::string::npos ? "" : rest.substr(end + 3);
  }
  WriteImagesOnce(folder.parent_path().parent_path() / "images");
  ReadScene(folder.parent_path().parent_path());
}

void ReadSceneJson(const std::string& bytes) {
  ReadSceneFile(Written("scene.json", bytes));
}

void ReadCheckpointFile(const std::string& bytes) {
  torch::serialize::InputArchive archive;
  nerf::ReadCheckpoint(archive, Written("checkpoint.pt", bytes), torch::kCPU);
}

}  // namespace

const std::map<std::string, Reader>& Readers() {
  static const std::map<std::string, Reader> readers = {
      {"llff_scene", ReadLlff},
      {"transforms_scene", ReadTransforms},
      {"synthetic_scene", ReadSynthetic},
      {"colmap_scene", ReadColmap},
      {"scene_file", ReadSceneJson},
      {"checkpoint", ReadCheckpointFile}};
  return readers;
}

}  // namespace nerfpipe::fuzz
