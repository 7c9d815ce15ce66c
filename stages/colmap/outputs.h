#pragma once

// What the stage leaves in the workspace besides COLMAP's project.

#include "pipeline/base/report.h"
#include "stages/colmap/mapping/mapping.h"
#include "stages/common/colmap_model.h"

#include <filesystem>
#include <optional>
#include <string>

namespace nerfpipe::sfm {

// Every sub-model as `folder`/0, 1, ..., with the distorted camera.
void WriteSparseModels(const MappingResult& mapping,
                       const std::filesystem::path& folder);

struct UndistortionJob {
  std::filesystem::path frames;
  std::filesystem::path masks;  // of frames that have one; need not exist
  std::filesystem::path out;
  int jpeg_quality = 95;
  int threads = 1;
  Report* report = nullptr;
};

// out/images and out/sparse/0: the images of `model` and the model itself, for
// pinhole cameras (undistortion.h); frames with alpha become PNG. out/masks: a
// mask for each image when some image has pixels that its mask leaves out or
// its lens does not cover, else nothing. Pixels that are not covered are black.
// The result is a line to be told about images of several sizes, empty when
// they have one. Nothing when the distortion allows no pinhole.
std::optional<std::string> WriteUndistorted(const ColmapModel& model,
                                            const UndistortionJob& job);

}  // namespace nerfpipe::sfm
