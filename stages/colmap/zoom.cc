#include "stages/colmap/zoom.h"

#include "stages/colmap/refinement/lens_choice.h"

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace nerfpipe::sfm {
namespace {

// That no zoom goes beyond: lenses breathe when they focus.
constexpr double kOneFocal = 1.05;

// A camera for each of the images `apart` (identifiers); the others share those
// that they have.
CameraPriors WithOwn(const CameraPriors& shared,
                     const std::vector<uint32_t>& apart,
                     int images) {
  CameraPriors cameras = shared;
  cameras.of_image.resize(images);
  for (const uint32_t id : apart) {
    const uint32_t place = id - 1;
    cameras.cameras.push_back(shared.Of(place));
    cameras.of_image[place] = static_cast<int>(cameras.cameras.size()) - 1;
  }
  return cameras;
}

CameraPriors OneForEach(const CameraPriors& shared, int images) {
  CameraPriors each;
  for (int i = 0; i < images; ++i) each.cameras.push_back(shared.Of(i));
  each.of_image.resize(images);
  std::iota(each.of_image.begin(), each.of_image.end(), 0);
  return each;
}

}  // namespace

void FreeFocals(const SolveJob& job, Solution* solution) {
  // Those that are hardest to tell show when the others are right.
  constexpr int kMostRounds = 3;
  for (int round = 0; solution->mapping.chosen >= 0; ++round) {
    MappingResult& mapping = solution->mapping;
    const ColmapModel& model = mapping.models[mapping.chosen];
    const FocalLengths focals =
        SurveyFocalLengths(job.place.threads, job.place.report, model);
    if (focals.range <= kOneFocal) break;
    mapping.focal_range = focals.range;
    if (job.options.camera_model != "auto" || round == kMostRounds) break;
    const bool all = focals.apart.size() == model.images.size();
    Solution next = *solution;
    next.cameras =
        all ? OneForEach(PriorsOf(job, FirstCameraModel(job)),
                         solution->Count())
            : WithOwn(solution->cameras, focals.apart, solution->Count());
    Map(job, /*relaxed=*/true, &next);
    const int registered = Registered(job, next);
    const bool better =
        registered > 0 && 10 * registered >= 9 * Registered(job, *solution);
    job.place.report->Info(fmt::format(
        "the focal length changes by {:.0f} % over the images; a camera for "
        "{}: {}",
        100 * (focals.range - 1),
        all ? "each image" : fmt::format("each of {}", focals.apart.size()),
        better
            ? fmt::format("{} of {} registered", registered, job.names.size())
            : "no gain"));
    if (!better) break;
    *solution = std::move(next);
    if (all) break;
  }
}

}  // namespace nerfpipe::sfm
