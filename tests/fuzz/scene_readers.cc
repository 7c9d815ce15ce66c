// The readers that use LibTorch.

#include "pipeline/base/report.h"
#include "stages/nerf/checkpoint.h"
#include "stages/nerf/data/read_dataset.h"
#include "stages/nerf/stage/scene_file.h"
#include "tests/fuzz/readers.h"

namespace nerfpipe::fuzz {
namespace {

namespace fs = std::filesystem;

void ReadLlffFolder(const std::string& bytes) {
  const fs::path file = Written("llff/poses_bounds.npy", bytes);
  WriteImagesOnce(file.parent_path() / "images");
  nerf::ReadDataset(file.parent_path(), {1, 2, 1, 0}, SilentReport());
}

void ReadTransformsFile(const std::string& bytes) {
  const fs::path file = Written("transforms/transforms.json", bytes);
  WriteImagesOnce(file.parent_path() / "images");
  nerf::ReadDataset(file, {1, 2, 1, 0}, SilentReport());
}

void ReadSyntheticFolder(const std::string& bytes) {
  fs::path file;
  for (const char* split : {"train", "val", "test"}) {
    file =
        Written(std::string("synthetic/transforms_") + split + ".json", bytes);
  }
  WriteImagesOnce(file.parent_path() / "images");
  nerf::ReadDataset(file.parent_path(), {1, 2, 1, 0}, SilentReport());
}

void ReadScene(const std::string& bytes) {
  ReadSceneFile(Written("scene.json", bytes));
}

void ReadACheckpoint(const std::string& bytes) {
  torch::serialize::InputArchive archive;
  nerf::ReadCheckpoint(archive, Written("checkpoint.pt", bytes), torch::kCPU);
}

}  // namespace

std::map<std::string, Reader> SceneReaders() {
  return {{"llff", ReadLlffFolder},
          {"transforms", ReadTransformsFile},
          {"synthetic", ReadSyntheticFolder},
          {"scene", ReadScene},
          {"checkpoint", ReadACheckpoint}};
}

}  // namespace nerfpipe::fuzz
