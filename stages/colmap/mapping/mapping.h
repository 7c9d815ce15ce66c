#pragma once

// From matches to cameras and points: incremental mapping (Schoenberger and
// Frahm, Structure-from-Motion Revisited, CVPR 2016).

#include "pipeline/base/report.h"
#include "stages/common/colmap_model.h"

#include <filesystem>
#include <map>
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
  int chosen = -1;
  double mean_error = 0;  // pixels, of the chosen one
  // Images of the chosen model whose cameras came out far off the path of
  // their neighbours, and were left out.
  std::vector<std::string> strays;

  // Steps of the chosen model's cameras, in the order of the names, that are
  // far longer than the others: in a walk, places where it is wrong.
  int jumps = 0;

  // What no lens does, in words (refinement/lens_choice.h), of one of the
  // chosen model's; empty when all may be.
  std::string absurd_lens;

  // The largest focal length over the smallest, the outer twentieths aside, as
  // far as it changes from image to image and no camera of its own stands for
  // it (zoom.h); 1 where it does not.
  double focal_range = 1;

  // Of the chosen model, once it is finished: how far chance errors move each
  // image's camera, in parts of the radius (refinement/halves.h), and images
  // that were taken out again, since too little holds their cameras.
  std::map<std::string, double> deviations;
  std::vector<std::string> weak;

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
};

// Solves what `database` holds of the images in `folder` called `names`; models
// that share images are joined where they agree. One thread, and random numbers
// from a fixed seed: the result depends on the database alone. Throws
// Interrupted.
MappingResult MapImages(const std::filesystem::path& database,
                        const std::filesystem::path& folder,
                        const std::vector<std::string>& names,
                        const MappingOptions& options,
                        Report* report);

// The chosen model of `standing` again, with all that `database` holds: tracks
// are extended, images that have no place yet are registered, each by itself,
// and all is adjusted together when `adjust` says so. Otherwise as MapImages.
MappingResult ExtendModel(const std::filesystem::path& database,
                          const MappingResult& standing,
                          const MappingOptions& options,
                          bool adjust,
                          int threads,
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
