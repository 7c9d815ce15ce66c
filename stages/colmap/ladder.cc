#include "stages/colmap/ladder.h"

#include "stages/colmap/matching/keyframes.h"
#include "stages/colmap/matching/pair_list.h"
#include "stages/colmap/refinement/final_adjustment.h"
#include "stages/colmap/refinement/point_colours.h"
#include "stages/colmap/rungs.h"
#include "stages/colmap/unfolding.h"
#include "stages/colmap/zoom.h"

#include <string>
#include <utility>

#include <fmt/format.h>

namespace nerfpipe::sfm {
namespace {

namespace fs = std::filesystem;

// Up to this many photos are matched each with each.
constexpr size_t kMaxExhaustive = 150;
constexpr double kEnough = 0.9;

bool IsEnough(const SolveJob& job, int images) {
  return images >= kEnough * static_cast<double>(job.names.size());
}

// Enough images, with a lens that may be.
bool IsSound(const SolveJob& job, const Solution& solution, int images) {
  return IsEnough(job, images) && solution.mapping.absurd_lens.empty();
}

// More images registered, through a lens that may be, on a walk that does not
// jump more often: cameras on the wrong side of a thing that repeats itself are
// worse than none.
bool IsBetter(const SolveJob& job, const Solution& a, const Solution& b) {
  const int a_images = Registered(job, a);
  const int b_images = Registered(job, b);
  if (a_images >= 2 * b_images || b_images >= 2 * a_images) {
    return a_images > b_images;
  }
  if (a.mapping.absurd_lens.empty() != b.mapping.absurd_lens.empty()) {
    return a.mapping.absurd_lens.empty();
  }
  if (a.mapping.jumps != b.mapping.jumps) {
    return a.mapping.jumps < b.mapping.jumps;
  }
  return a_images > b_images;
}

// Of a video only neighbours in time: what looks alike from far apart may be
// the other side of a thing that repeats itself, and places seen again are
// found once a model stands.
std::vector<ImagePair> FirstPairs(const SolveJob& job,
                                  const Solution& solution) {
  const ColmapOptions& options = job.options;
  if (options.matching == "exhaustive" ||
      (options.matching == "auto" && !job.video && !job.clips &&
       job.names.size() <= kMaxExhaustive)) {
    return ExhaustivePairs(solution.Count());
  }
  return job.video ? NeighbourPairs(solution.Count(), options.overlap)
                   : PairsByLooks(job, solution.features, options.overlap);
}

// By keyframes, between which the others are registered. False if there are
// hardly fewer of them than frames, or too many frames find no place.
bool SolveByKeyframes(const SolveJob& job, Solution* solution) {
  constexpr double kWorthIt = 0.75;
  const std::vector<int> keyframes =
      ChooseKeyframes(solution->Count(), solution->pairs, job.options.overlap);
  if (static_cast<double>(keyframes.size()) > kWorthIt * solution->Count()) {
    return false;
  }
  std::vector<std::string> names;
  for (const int frame : keyframes) names.push_back(solution->names[frame]);
  const fs::path database = WriteChosenTracks(job, *solution);
  Map(job, database, names, /*relaxed=*/false, solution);
  if (solution->mapping.chosen < 0) return false;
  ImproveLens(job, database, solution);
  Extend(job, database, /*adjust=*/false, solution);
  const int registered = Registered(job, *solution);
  job.place.report->Detail(
      fmt::format("{} of {} images registered, from {} of them",
                  registered,
                  job.names.size(),
                  keyframes.size()));
  return IsEnough(job, registered);
}

// With the places seen again, unless those make the walk jump.
void CloseLoops(const SolveJob& job,
                const std::string& way,
                Solution* solution) {
  if (solution->mapping.chosen < 0) return;
  Solution closed = WithLoops(job, way, *solution);
  if (!IsBetter(job, *solution, closed)) *solution = std::move(closed);
}

constexpr Rung kRungs[] = {
    {"a start with less parallax", WithLessParallax, false},
    {"a richer lens", WithRicherLens, false},
    {"more pairs", WithMorePairs, true},
    {"guided matching", WithGuidedMatching, false},
    {"more frames of the video", WithFramesBetween, true},
    {"more features", WithMoreFeatures, false},
    {"features on ellipses", WithEllipses, false},
    {"a simpler lens", WithSimplerLens, false}};

}  // namespace

std::span<const Rung> Rungs() { return kRungs; }

bool Climb(const SolveJob& job,
           std::span<const Rung> rungs,
           Solution* solution) {
  bool climbed = false;
  for (const Rung& rung : rungs) {
    const int had = Registered(job, *solution);
    if (IsSound(job, *solution, had)) break;
    if (!rung.joins_parts &&
        IsSound(job, *solution, RegisteredAnywhere(job, *solution))) {
      continue;
    }
    std::optional<Solution> next = rung.climb(job, *solution);
    if (!next) continue;
    const bool helped = IsBetter(job, *next, *solution);
    job.place.report->Info(fmt::format(
        "{} of {} images registered; {}: {}",
        had,
        job.names.size(),
        rung.name,
        helped ? fmt::format("{} registered", Registered(job, *next))
               : "no gain"));
    if (!helped) continue;
    *solution = std::move(*next);
    climbed = true;
  }
  return climbed;
}

Solution MatchCapture(const SolveJob& job) {
  Solution solution;
  solution.frames = job.frames;
  solution.names = job.names;
  solution.cameras = PriorsOf(job, FirstCameraModel(job));
  solution.feature_options = {job.options.max_image_size,
                              job.options.max_features};
  solution.features = ExtractAllFeatures(job.frames,
                                         job.masks,
                                         job.names,
                                         solution.cameras,
                                         solution.feature_options,
                                         job.place);
  solution.pairs = MatchAllPairs(job.names,
                                 solution.features,
                                 solution.cameras,
                                 FirstPairs(job, solution),
                                 job.place);
  if (LeaveOutStill(job, Beside(job, "moving"), &solution)) {
    job.place.report->Warn(
        "part of the picture stands still while the rest moves: an object on "
        "a turntable or in the hand, or something on the lens; the cameras are "
        "found from what moves");
  }
  return solution;
}

void SolveCapture(const SolveJob& job, Solution* solution) {
  if (!job.video) {
    Map(job, /*relaxed=*/false, solution);
  } else {
    // Of a walk the neighbours first.
    if (!SolveByKeyframes(job, solution)) Map(job, /*relaxed=*/false, solution);
    CloseLoops(job, "loops", solution);
  }
  if (Climb(job, Rungs(), solution) && job.video) {
    CloseLoops(job, "loops-after-climb", solution);
  }
  if (UnfoldWalk(job, solution) && job.video) {
    CloseLoops(job, "loops-unfolded", solution);
  }
  FreeFocals(job, solution);
  WriteDatabaseOf(
      *solution, solution->pairs, DatabaseContent::kAll, job.database);
  if (solution->mapping.chosen < 0) return;
  FinishModel(solution->frames,
              solution->pairs,
              solution->features,
              job.options.camera_model == "auto",
              job.place,
              &solution->mapping);
  for (ColmapModel& model : solution->mapping.models) {
    ColourPoints(solution->features, &model);
  }
}

}  // namespace nerfpipe::sfm
