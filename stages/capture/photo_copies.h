#pragma once

// Photos that are in a folder twice.

#include "stages/common/image.h"

#include <array>
#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe {

// Mean colours of 8 x 8 fields: nearly the same for a picture and a smaller
// version of it.
using PictureGist = std::array<float, 192>;

PictureGist GistOf(const Image& picture);

// For each file the place of the one that it is a copy of, byte by byte, or -1.
// Of equal ones that with the shortest name is no copy: "a (1).jpg" is one of
// "a.jpg". Throws UserError when a file cannot be read.
std::vector<int> CopiesByBytes(const std::filesystem::path& folder,
                               const std::vector<std::string>& names,
                               int threads);

// The same by pixels. `gists` finds those worth reading in full; empty names
// are left aside.
std::vector<int> CopiesByPixels(const std::filesystem::path& folder,
                                const std::vector<std::string>& names,
                                const std::vector<PictureGist>& gists,
                                int threads);

}  // namespace nerfpipe
