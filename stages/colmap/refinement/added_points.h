#pragma once

// The points that matches show beside those that the cameras were found from.

#include "stages/colmap/features/features.h"
#include "stages/colmap/matching/two_view.h"
#include "stages/colmap/refinement/triangulation.h"

#include <vector>

#include <colmap/scene/reconstruction.h>

namespace nerfpipe::sfm {

// Adds to `model`, with its cameras as they are, what the inliers of `pairs`
// say: each track as a whole is given to the points that it belongs to already
// and, as far as it agrees on them, to new ones. Images of the model have the
// number of their entry in `features` plus one. Tracks that are seen in two
// images only are left alone. The result does not depend on `threads`. Throws
// Interrupted.
void AddPoints(const std::vector<MatchedPair>& pairs,
               const std::vector<Features>& features,
               const TriangulationRules& rules,
               int threads,
               colmap::Reconstruction* model);

// Every point where its observations agree best.
void RefinePoints(double loss_scale,
                  int threads,
                  colmap::Reconstruction* model);

}  // namespace nerfpipe::sfm
