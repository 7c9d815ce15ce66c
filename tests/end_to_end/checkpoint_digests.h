#pragma once

// What a checkpoint holds, without LibTorch in the interface.

#include <filesystem>
#include <map>
#include <string>

namespace nerfpipe {

// A digest of every tensor by name, save the seconds that training took.
std::map<std::string, std::string> CheckpointDigests(
    const std::filesystem::path& path);

}  // namespace nerfpipe
