#pragma once

// Files that appear whole or not at all.

#include <filesystem>
#include <string>
#include <string_view>

namespace nerfpipe {

// Writes `content` to a temporary file beside `path`, flushes it to disk and
// renames it into place. Throws UserError when the disk refuses (no space, no
// permission).
void WriteFileAtomically(const std::filesystem::path& path,
                         std::string_view content);

// The whole file. Throws UserError naming `path` when it cannot be read.
std::string ReadFile(const std::filesystem::path& path);

}  // namespace nerfpipe
