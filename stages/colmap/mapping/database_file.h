#pragma once

// database.db and project.ini: COLMAP's own project over the frames.

#include "stages/colmap/features/features.h"
#include "stages/colmap/matching/two_view.h"

#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe::sfm {

enum class DatabaseContent {
  kAll,
  kForMapping,  // without descriptors and the matches that fit no geometry
};

// Image i of `names` gets the identifier i + 1, camera i of `cameras` likewise.
// The same content gives the same bytes. Throws UserError when the disk
// refuses.
void WriteDatabase(const std::filesystem::path& path,
                   const CameraPriors& cameras,
                   const std::vector<std::string>& names,
                   const std::vector<Features>& features,
                   const std::vector<MatchedPair>& pairs,
                   DatabaseContent content = DatabaseContent::kAll);

// The text of project.ini. COLMAP takes relative paths from the folder it was
// started in, so both should be absolute.
std::string ProjectFile(const std::filesystem::path& database,
                        const std::filesystem::path& images,
                        const std::string& camera_model,
                        bool single_camera,
                        const FeatureOptions& features);

}  // namespace nerfpipe::sfm
