#pragma once

// From frames to cameras, in ways that grow dearer: each rung is climbed only
// when the last was not enough.

#include "stages/colmap/solution.h"

#include <optional>
#include <span>

namespace nerfpipe::sfm {

// All but the mapping. Features on things that stand still before a moving
// object are left out, which `report` is told.
Solution MatchCapture(const SolveJob& job);

// A way to a better solution than the best so far, or nothing when it has
// nothing to add.
struct Rung {
  const char* name;
  std::optional<Solution> (*climb)(const SolveJob&, const Solution&);
  // Whether it can bring parts together that have no images in common.
  bool joins_parts;
};

// All of them (rungs.h), the cheapest first.
std::span<const Rung> Rungs();

// Tries the rungs in turn while less than nine images in ten are registered or
// a lens came out that cannot be, and keeps what each gives where that is
// better: more images registered, on a walk that does not jump more often.
// Tells `report` of each. True if one helped.
bool Climb(const SolveJob& job,
           std::span<const Rung> rungs,
           Solution* solution);

// Maps, a dense video by its keyframes first; a video again with the places
// that the model shows to be seen again. While less than nine images in ten are
// registered, climbs the rungs (rungs.h), each on top of what helped before.
// Tells `report` what helped. The best solution is finished in the end
// (final_adjustment.h), and its database is at job.database.
void SolveCapture(const SolveJob& job, Solution* solution);

}  // namespace nerfpipe::sfm
