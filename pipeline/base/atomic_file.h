#pragma once

// Files that appear whole or not at all, and the reading of whole files. All
// throw UserError naming the path when the system refuses; a signal in between
// changes nothing.

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace nerfpipe {

// Writes `content` to a temporary file beside `path`, flushes it to disk and
// renames it into place.
void WriteFileAtomically(const std::filesystem::path& path,
                         std::string_view content);

// Writes a file that nobody looks at before something else says that it is
// whole: not flushed, and gone again when not all of it can be written.
void WriteFileAside(const std::filesystem::path& path,
                    std::string_view content);

void AppendToFile(const std::filesystem::path& path, std::string_view content);

// Removes the temporary files that WriteFileAtomically left in `folder` when
// its process was killed.
void RemoveLeftovers(const std::filesystem::path& folder);

// Makes the names in `folder` last through a power cut: what was renamed into
// it, or out of it.
void SyncFolder(const std::filesystem::path& folder);

// Makes everything written so far below `folder` (and elsewhere on its file
// system) last through a power cut.
void SyncFileSystem(const std::filesystem::path& folder);

std::string ReadFile(const std::filesystem::path& path);

// Hands over the file piece by piece, for files of any size.
void ReadInParts(const std::filesystem::path& path,
                 const std::function<void(std::string_view)>& take);

// Its first bytes, `most` or as many as there are.
std::string ReadBeginning(const std::filesystem::path& path, size_t most);

}  // namespace nerfpipe
