#include "tests/end_to_end/visible_files.h"

#include "pipeline/base/digest.h"
#include "stages/nerf/checkpoint.h"

#include <string_view>

#include <torch/serialize/archive.h>

namespace nerfpipe {

namespace fs = std::filesystem;

std::map<std::string, std::string> CheckpointDigests(const fs::path& path) {
  torch::serialize::InputArchive archive;
  nerf::ReadCheckpoint(archive, path, torch::kCPU);
  std::map<std::string, std::string> digests;
  for (const std::string& name : archive.keys()) {
    torch::Tensor tensor;
    if (name == "trainer_seconds" ||
        !archive.try_read(name, tensor, /*is_buffer=*/true)) {
      continue;
    }
    tensor = tensor.contiguous();
    digests[name] = DigestOf(std::string_view(
        static_cast<const char*>(tensor.data_ptr()), tensor.nbytes()));
  }
  return digests;
}

std::map<std::string, std::string> VisibleFiles(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string path = entry.path().lexically_relative(folder).string();
    const bool tells_times = path.find(".nerfpipe/") != std::string::npos ||
                             path.find("summary.json") != std::string::npos ||
                             path.find("batch.json") != std::string::npos ||
                             path.find("dataset.json") != std::string::npos ||
                             path.find("metrics.jsonl") != std::string::npos;
    if (!entry.is_regular_file() || tells_times) {
      continue;
    }
    if (entry.path().filename() != "checkpoint.pt") {
      files[path] = DigestOfFile(entry.path());
      continue;
    }
    for (const auto& [name, digest] : CheckpointDigests(entry.path())) {
      files[path + ": " + name] = digest;
    }
  }
  return files;
}

}  // namespace nerfpipe
