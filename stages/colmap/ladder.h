#pragma once

// From frames to cameras, in ways that grow dearer: each rung is climbed only
// when the last was not enough.

#include "stages/colmap/solution.h"

namespace nerfpipe::sfm {

// All but the mapping. Features on things that stand still before a moving
// object are left out, which `report` is told.
Solution MatchCapture(const SolveJob& job);

// Maps, a dense video by its keyframes first; a video again with the places
// that the model shows to be seen again. While less than nine images in ten are
// placed, climbs the rungs (rungs.h), each on top of what helped before. Tells
// `report` what helped. The best solution is finished in the end
// (final_adjustment.h), and its database is at job.database.
void SolveCapture(const SolveJob& job, Solution* solution);

}  // namespace nerfpipe::sfm
