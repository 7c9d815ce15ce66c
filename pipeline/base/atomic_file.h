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

// Removes the temporary files that WriteFileAtomically left in `folder` when
// its process was killed.
void RemoveLeftovers(const std::filesystem::path& folder);

// Makes the names in `folder` last through a power cut: what was renamed into
// it, or out of it.
void SyncFolder(const std::filesystem::path& folder);

// Makes everything written so far below `folder` (and elsewhere on its file
// system) last through a power cut. Throws UserError when the disk refuses.
void SyncFileSystem(const std::filesystem::path& folder);

// The whole file. Throws UserError naming `path` when it cannot be read.
std::string ReadFile(const std::filesystem::path& path);

}  // namespace nerfpipe
