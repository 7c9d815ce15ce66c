#pragma once

// What the stage leaves in the workspace besides COLMAP's project.

#include "pipeline/base/report.h"
#include "stages/colmap/mapping/mapping.h"
#include "stages/common/colmap_model.h"

#include <filesystem>

namespace nerfpipe::sfm {

// Every sub-model as `folder`/0, 1, ..., with the distorted camera.
void WriteSparseModels(const MappingResult& mapping,
                       const std::filesystem::path& folder);

// out/images and out/sparse/0: the images of `model` and the model itself, for
// a pinhole camera. False when the distortion allows none.
bool WriteUndistorted(const ColmapModel& model,
                      const std::filesystem::path& frames,
                      const std::filesystem::path& out,
                      int jpeg_quality,
                      int threads,
                      Report* report);

}  // namespace nerfpipe::sfm
