#pragma once

// What a folder that was given as a capture holds.

#include "pipeline/base/report.h"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe {

// Names are paths relative to the folder, with '/', in natural order.
struct CaptureListing {
  std::vector<std::string> photos;
  std::vector<std::string> videos;
  // Pictures in folders called "masks".
  std::vector<std::string> in_mask_folders;
  size_t foreign = 0;  // camera raw files
  size_t others = 0;   // hidden, or neither picture nor video
  // Folders that are left alone: smaller copies ("images_4" beside "images"),
  // and those with pictures that lie too deep.
  std::vector<std::string> smaller_copies;
  std::vector<std::string> too_deep;
};

// Looks into folders up to three deep, but not into hidden ones, nerfpipe's
// workspaces and what file systems keep for themselves. Throws UserError when a
// folder cannot be read.
CaptureListing ListCapture(const std::filesystem::path& folder);

// The capture is its videos: a few pictures beside them are covers and
// thumbnails.
bool AreVideosMeant(const CaptureListing& listing);

// "'a.jpg', 'b.jpg' and 3 more".
std::string FirstOf(const std::vector<std::string>& names);

// Where the names come from, and what else was left alone; nothing of a folder
// that holds them alone. `unit`: "photo".
void TellWhere(const std::vector<std::string>& names,
               const CaptureListing& listing,
               const std::string& unit,
               Report& report);

}  // namespace nerfpipe
