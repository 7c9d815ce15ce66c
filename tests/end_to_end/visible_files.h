#pragma once

// What is in a workspace, for comparing it with another run's.

#include <filesystem>
#include <map>
#include <string>

namespace nerfpipe {

// A digest of every tensor of a checkpoint by name, save the seconds that
// training took.
std::map<std::string, std::string> CheckpointDigests(
    const std::filesystem::path& path);

// Digests of everything in a folder that a user sees, save what tells times; of
// checkpoints, of every tensor.
std::map<std::string, std::string> VisibleFiles(
    const std::filesystem::path& folder);

}  // namespace nerfpipe
