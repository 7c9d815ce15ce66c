#include "tests/end_to_end/checkpoint_digests.h"

#include "pipeline/base/digest.h"
#include "stages/nerf/checkpoint.h"

#include <string_view>

namespace nerfpipe {

std::map<std::string, std::string> CheckpointDigests(
    const std::filesystem::path& path) {
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

}  // namespace nerfpipe
