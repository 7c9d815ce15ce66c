#pragma once

// From matches to cameras and points: incremental mapping (Schoenberger and
// Frahm, Structure-from-Motion Revisited, CVPR 2016).

#include "pipeline/base/report.h"
#include "stages/common/colmap_model.h"

#include <filesystem>
#include <string>
#include <vector>

#include <Eigen/Core>

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
  // Images of the chosen model whose cameras came out far off the path of
  // their neighbours, and were left out.
  std::vector<std::string> strays;

  // Steps of the chosen model's cameras, in the order of the names, that are
  // far longer than the others: in a walk, places where it is wrong.
  int jumps = 0;

  // Images in the chosen model; 0 without one.
  int Registered() const;
};

struct MappingOptions {
  // Start from a pair with half the parallax and half the matches that are
  // asked for else.
  bool relaxed = false;
  // The names are in the order of a walk: a camera that jumps off the path and
  // back is wrong.
  bool one_walk = false;
  // Leave the last adjustment to ExtendModel(), which is to follow.
  bool rough = false;
};

// Solves what `database` holds of `image_count` images in `images`; models that
// share images are joined where they agree. One thread, and random numbers from
// a fixed seed: the result depends on the database alone. Throws Interrupted.
MappingResult MapImages(const std::filesystem::path& database,
                        const std::filesystem::path& images,
                        int image_count,
                        const MappingOptions& options,
                        Report* report);

// The chosen model of `standing` again, with the matches that `database` has
// gained since: tracks are extended, images that found no place are tried once
// more, and all is adjusted together. Writes into `scratch`, which exists.
// Otherwise as MapImages.
MappingResult ExtendModel(const std::filesystem::path& database,
                          const MappingResult& standing,
                          const MappingOptions& options,
                          const std::filesystem::path& scratch,
                          Report* report);

// Steps between camera centres in the order of a walk that are more than eight
// times as long as the median one.
int CountJumps(const std::vector<Eigen::Vector3d>& centres);

// Of camera centres in the order of a walk (in any unit), those that lie far
// from both neighbours although these lie close to each other: indices,
// ascending.
std::vector<size_t> CentresOffThePath(
    const std::vector<Eigen::Vector3d>& centres);

}  // namespace nerfpipe::sfm
