#pragma once

// From matches to cameras and points: incremental mapping (Schoenberger and
// Frahm, Structure-from-Motion Revisited, CVPR 2016).

#include "pipeline/base/report.h"
#include "stages/common/colmap_model.h"

#include <filesystem>
#include <vector>

namespace nerfpipe::sfm {

struct ModelSize {
  int images = 0;
  int points = 0;
};

// Number of the model with the most images, of equal ones that with the most
// points, of equal ones the first. `models` is not empty.
int ChooseModel(const std::vector<ModelSize>& models);

// The distorted camera, identifiers as in the database.
struct MappingResult {
  std::vector<ColmapModel> models;  // may be empty
  int chosen = -1;                  // refined once more as a whole
  double mean_error = 0;            // pixels, of the chosen one
};

// Solves what `database` holds of `image_count` images in `images`. One
// thread, and random numbers from a fixed seed: the result depends on the
// database alone. When less than half of the images are registered, a second
// attempt starts from weaker pairs. Throws Interrupted.
MappingResult MapImages(const std::filesystem::path& database,
                        const std::filesystem::path& images,
                        int image_count,
                        Report* report);

}  // namespace nerfpipe::sfm
