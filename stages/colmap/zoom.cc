#include "stages/colmap/zoom.h"

#include "stages/colmap/focal_check.h"

#include <numeric>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace nerfpipe::sfm {
namespace {

CameraPriors OneForEach(const CameraPriors& shared, int images) {
  CameraPriors each;
  for (int i = 0; i < images; ++i) each.cameras.push_back(shared.Of(i));
  each.of_image.resize(images);
  std::iota(each.of_image.begin(), each.of_image.end(), 0);
  return each;
}

}  // namespace

bool FreeFocals(const SolveJob& job, Solution* solution) {
  const MappingResult& mapping = solution->mapping;
  if (job.options.camera_model != "auto" || mapping.chosen < 0) return false;
  const double share = ShareOfOtherFocals(mapping.models[mapping.chosen]);
  if (share <= kManyOtherFocals) return false;
  Solution next = *solution;
  next.cameras =
      OneForEach(PriorsOf(job, FirstCameraModel(job)), solution->Count());
  Map(job, /*relaxed=*/true, &next);
  const int placed = Placed(job, next);
  const bool better =
      placed > 0 && 10 * placed >= 9 * Placed(job, *solution) &&
      2 * ShareOfOtherFocals(next.mapping.models[next.mapping.chosen]) < share;
  job.place.report->Info(fmt::format(
      "the focal length of {:.0f} % of the images is another one; a camera for "
      "each image: {}",
      100 * share,
      better ? fmt::format("{} of {} placed", placed, job.names.size())
             : "no gain"));
  if (better) *solution = std::move(next);
  return better;
}

}  // namespace nerfpipe::sfm
