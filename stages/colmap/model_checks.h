#pragma once

// What a finished model says against itself, by measures that do not share the
// faults of the search that made it.

#include "stages/colmap/features/features.h"
#include "stages/colmap/matching/two_view.h"
#include "stages/common/colmap_model.h"

#include <string>
#include <vector>

namespace nerfpipe::sfm {

// Two registered images with matches that fit each other but not the cameras.
struct Contradiction {
  int first = 0;  // places in the capture, first < second
  int second = 0;
  int matches = 0;
};

struct ModelChecks {
  // Pairs of registered images with enough matches to judge by, and those of
  // them that contradict the cameras: less than a third of the matches are
  // within four pixels of where the cameras would have them and before both.
  int pairs = 0;
  std::vector<Contradiction> contradictions;
  // Images of which one of the three pairs with the most matches contradicts
  // the cameras. Where things repeat themselves weak pairs do in a right model
  // as well; the strongest are of what is really the same.
  int judged_images = 0;
  int doubtful_images = 0;
  // Pairs of images that follow each other or the next but one.
  int neighbours = 0;
  int contradicting_neighbours = 0;
  // Share of the parts of a picture (an eighth of either side) that have an
  // observation, in the median picture.
  double spread = 0;
  // Root mean square over parts of the picture of the mean error there, in
  // pixels: what the lens model does not explain.
  double lens_error = 0;
};

// `pairs` number the images whose identifiers are those numbers plus one, as do
// `features`. The cameras have models that Lens knows.
ModelChecks CheckModel(const ColmapModel& model,
                       const std::vector<MatchedPair>& pairs,
                       const std::vector<Features>& features);

}  // namespace nerfpipe::sfm
