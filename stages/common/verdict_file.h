#pragma once

// colmap/verdict.json: whether the cameras can be trusted, for the stages that
// come after them.

#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe {

struct CamerasVerdict {
  std::string word;  // "good", "fair" or "bad"; empty: not judged
  std::vector<std::string> reasons;
};

// Not judged where there is no such file. Throws UserError when it is damaged.
CamerasVerdict ReadVerdict(const std::filesystem::path& file);

// Makes the folder. Throws UserError when the disk refuses.
void WriteVerdict(const CamerasVerdict& verdict,
                  const std::filesystem::path& file);

}  // namespace nerfpipe
