#pragma once

// Checkpoint files: one file that appears whole or not at all, with a header
// that tells a damaged one.
//
//   8 bytes  "NERFPIPE"
//   8 bytes  format version, little endian
//   8 bytes  length of what follows the header
//   8 bytes  checksum of it (FNV-1a over 64-bit words)
//   the rest a LibTorch archive

#include "stages/nerf/tensors.h"

#include <filesystem>

namespace nerfpipe::nerf {

// Writes to a temporary file beside `path`, flushes it to disk and renames it.
// Throws UserError when the disk refuses.
void WriteCheckpoint(torch::serialize::OutputArchive& archive,
                     const std::filesystem::path& path);

// Throws UserError naming the file when it is missing, damaged, cut short or of
// another format.
void ReadCheckpoint(torch::serialize::InputArchive& archive,
                    const std::filesystem::path& path,
                    torch::Device device);

}  // namespace nerfpipe::nerf
