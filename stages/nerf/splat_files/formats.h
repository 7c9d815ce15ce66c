#pragma once

// The formats of splats that we know.

#include "stages/nerf/splat_files/splat_cloud.h"

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace nerfpipe::splats {

struct Format {
  const char* name;  // and, behind a dot, how its files end
  std::string (*bytes)(const SplatCloud& cloud);
  // Null where files are only written.
  SplatCloud (*read)(std::string_view bytes, const std::string& name);
  // How the world stands in it: with y up and z towards the viewer, or, as
  // COLMAP has it, with y down and z away. Neither bytes nor read turn
  // anything.
  bool y_down;
};

std::span<const Format> Formats();

// Throw UserError listing the names, for a file those that are read. Files are
// told by how their names end, large letters or small.
const Format& FormatNamed(std::string_view name);
const Format& FormatOfFile(const std::filesystem::path& path);

// The axes are those of the file.
SplatCloud ReadSplats(const std::filesystem::path& path);

}  // namespace nerfpipe::splats
