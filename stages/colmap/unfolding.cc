#include "stages/colmap/unfolding.h"

#include "stages/colmap/model_checks.h"

#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace nerfpipe::sfm {
namespace {

// Share of the pairs of neighbours that do not fit; nothing where there are
// none to judge by.
std::optional<double> MisfitOf(const Solution& solution) {
  const MappingResult& mapping = solution.mapping;
  if (mapping.chosen < 0) return std::nullopt;
  const ModelChecks checks = CheckModel(
      mapping.models[mapping.chosen], solution.pairs, solution.features);
  if (checks.neighbours == 0) return std::nullopt;
  return static_cast<double>(checks.contradicting_neighbours) /
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
  std::optional<double> misfit = MisfitOf(*solution);
  bool unfolded = false;
  for (const int reach : kReaches) {
    if (!misfit || *misfit <= kSound) break;
    Solution next = FromNeighbours(job, reach, *solution);
    const std::optional<double> left = MisfitOf(next);
    const int registered = Registered(job, next);
    // Most of the images have to stand in it as well.
    const bool better = left && *left < *misfit &&
                        5 * registered >= 4 * Registered(job, *solution);
    job.place.report->Info(fmt::format(
        "neighbours do not fit their cameras ({:.0f} % of the pairs); from the "
        "nearest {} alone: {}",
        100 * *misfit,
        reach,
        better ? fmt::format("{} of {} images registered, {:.0f} %",
                             registered,
                             job.names.size(),
                             100 * *left)
               : "no gain"));
    if (!better) continue;
    *solution = std::move(next);
    misfit = left;
    unfolded = true;
  }
  return unfolded;
}

}  // namespace nerfpipe::sfm
