#pragma once

// Bytes to gzip and back. Internal to this folder.

#include <cstddef>
#include <string>
#include <string_view>

namespace nerfpipe::splats {

std::string Gzipped(std::string_view bytes);

// Throws UserError naming the file `name` for anything that is not one whole
// gzip stream, or that grows beyond `most` bytes.
std::string Gunzipped(std::string_view bytes,
                      size_t most,
                      const std::string& name);

}  // namespace nerfpipe::splats
