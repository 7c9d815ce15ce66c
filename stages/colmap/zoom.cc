#include "stages/colmap/zoom.h"

#include "stages/colmap/refinement/lens_choice.h"

#include <numeric>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace nerfpipe::sfm {
namespace {

// That no zoom goes beyond: lenses breathe when they focus.
constexpr double kOneFocal = 1.05;

CameraPriors OneForEach(const CameraPriors& shared, int images) {
  CameraPriors each;
  for (int i = 0; i < images; ++i) each.cameras.push_back(shared.Of(i));
  each.of_image.resize(images);
  std::iota(each.of_image.begin(), each.of_image.end(), 0);
  return each;
}

}  // namespace

bool FreeFocals(const SolveJob& job, Solution* solution) {
  MappingResult& mapping = solution->mapping;
  if (mapping.chosen < 0) return false;
  const double range = RangeOfFocals(
      job.place.threads, job.place.report, mapping.models[mapping.chosen]);
  if (range <= kOneFocal) return false;
  mapping.focal_range = range;
  if (job.options.camera_model != "auto") return false;
  Solution next = *solution;
  next.cameras =
      OneForEach(PriorsOf(job, FirstCameraModel(job)), solution->Count());
  Map(job, /*relaxed=*/true, &next);
  const int registered = Registered(job, next);
  const bool better =
      registered > 0 && 10 * registered >= 9 * Registered(job, *solution);
  job.place.report->Info(fmt::format(
      "the focal length changes by {:.0f} % over the images; a camera for each "
      "image: {}",
      100 * (range - 1),
      better ? fmt::format("{} of {} registered", registered, job.names.size())
             : "no gain"));
  if (better) *solution = std::move(next);
  return better;
}

}  // namespace nerfpipe::sfm
