#pragma once

// From frames to cameras, in ways that grow dearer: each rung is climbed only
// when the last was not enough.

#include "stages/colmap/colmap_stage.h"
#include "stages/colmap/features.h"
#include "stages/colmap/mapping.h"
#include "stages/colmap/matching.h"
#include "stages/colmap/two_view.h"

#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe::sfm {

struct SolveJob {
  std::filesystem::path frames;
  std::vector<std::string> names;  // in `frames`, in the order of the capture
  bool video = true;
  int width = 0;  // pixels, of all frames
  int height = 0;
  ColmapOptions options;
  std::filesystem::path database;  // to be written
  Workplace place;
};

// What one way gave.
struct Solution {
  CameraPrior prior;
  FeatureOptions feature_options;
  std::vector<Features> features;
  std::vector<MatchedPair> pairs;
  MappingResult mapping;
};

// All but the mapping. Features on things that stand still before a moving
// object are left out, which `report` is told.
Solution MatchCapture(const SolveJob& job);

// Maps, a dense video by its keyframes first; a video again with the places
// that the model shows to be seen again. While less than nine images in ten are
// placed, tries a start with less parallax, more pairs, more features and a
// simpler lens, each on top of what helped before. Tells `report` what helped.
// The best solution is finished in the end (final_adjustment.h), and its
// database is at job.database.
void SolveCapture(const SolveJob& job, Solution* solution);

}  // namespace nerfpipe::sfm
