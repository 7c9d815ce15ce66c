#include "stages/colmap/unfolding.h"

#include "stages/colmap/model_checks.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

namespace nerfpipe::sfm {
namespace {

// Share of the pairs of neighbours that do not fit; 1 where none are left to
// judge by.
double MisfitOf(const Solution& solution) {
  const MappingResult& mapping = solution.mapping;
  if (mapping.chosen < 0) return 1;
  const ModelChecks checks = CheckModel(
      mapping.models[mapping.chosen], solution.pairs, solution.features);
  return checks.neighbours == 0
             ? 1
             : static_cast<double>(checks.contradicting_neighbours) /
                   checks.neighbours;
}

Solution FromNeighbours(const SolveJob& job, int reach, Solution solution) {
  std::vector<MatchedPair> all = std::move(solution.pairs);
  solution.pairs.clear();
  for (const MatchedPair& pair : all) {
    if (pair.second - pair.first <= reach) solution.pairs.push_back(pair);
  }
  Map(job, /*relaxed=*/true, &solution);
  return solution;
}

}  // namespace

bool UnfoldWalk(const SolveJob& job, Solution* solution) {
  constexpr double kSound = 0.02;
  constexpr int kReaches[] = {3, 2};
  bool unfolded = false;
  for (const int reach : kReaches) {
    const double misfit = MisfitOf(*solution);
    if (misfit <= kSound) break;
    Solution next = FromNeighbours(job, reach, *solution);
    // Most of the images have to stand in it as well.
    const bool better = 5 * Placed(job, next) >= 4 * Placed(job, *solution) &&
                        MisfitOf(next) < misfit;
    job.place.report->Info(fmt::format(
        "neighbours do not fit their cameras ({:.0f} % of the pairs); from the "
        "nearest {} alone: {}",
        100 * misfit,
        reach,
        better ? fmt::format("{} of {} images placed, {:.0f} %",
                             Placed(job, next),
                             job.names.size(),
                             100 * MisfitOf(next))
               : "no gain"));
    if (!better) continue;
    *solution = std::move(next);
    unfolded = true;
  }
  return unfolded;
}

}  // namespace nerfpipe::sfm
