#pragma once

// Folders, listed and removed whole whatever signals come in between.

#include <filesystem>
#include <vector>

namespace nerfpipe {

// What is in a folder, by name. Throws UserError when it cannot be listed.
std::vector<std::filesystem::directory_entry> EntriesOf(
    const std::filesystem::path& folder);

// With everything in it. Nothing where there is nothing.
void RemoveAll(const std::filesystem::path& path);

}  // namespace nerfpipe
