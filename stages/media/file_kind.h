#pragma once

// What a file of a capture is, from its name or its first bytes.

#include <filesystem>

namespace nerfpipe {

// Is this the name of a video or an animated GIF, by suffix in any case?
bool HasVideoSuffix(const std::filesystem::path& path);

// A picture that ReadImage understands: by its suffix or, where it has none, by
// its first bytes. What only looks like a suffix ("IMG 2026.11.30") is none.
bool IsImageFile(const std::filesystem::path& path);

}  // namespace nerfpipe
