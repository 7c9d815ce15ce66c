#include "stages/colmap/ladder.h"

#include "stages/colmap/camera_prior.h"
#include "stages/colmap/database_file.h"
#include "stages/colmap/final_adjustment.h"
#include "stages/colmap/keyframes.h"
#include "stages/colmap/pair_list.h"
#include "stages/colmap/proximity.h"
#include "stages/colmap/still_features.h"
#include "stages/colmap/track_choice.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace nerfpipe::sfm {
namespace {

namespace fs = std::filesystem;

// Up to this many photos are matched each with each.
constexpr size_t kMaxExhaustive = 150;
// And up to this many images when nothing else helps.
constexpr size_t kMaxExhaustiveLater = 250;
constexpr double kEnough = 0.9;

int Count(const SolveJob& job) { return static_cast<int>(job.names.size()); }

bool IsEnough(const SolveJob& job, const Solution& solution) {
  return solution.mapping.Registered() >= kEnough * Count(job);
}

// More images placed, on a walk that does not jump more often: cameras on the
// wrong side of a thing that repeats itself are worse than none.
bool IsBetter(const Solution& a, const Solution& b) {
  const int a_images = a.mapping.Registered();
  const int b_images = b.mapping.Registered();
  if (a_images >= 2 * b_images || b_images >= 2 * a_images) {
    return a_images > b_images;
  }
  if (a.mapping.jumps != b.mapping.jumps) {
    return a.mapping.jumps < b.mapping.jumps;
  }
  return a_images > b_images;
}

// All models together hold enough images: what they lack is common ground,
// which only more pairs could bring.
bool FallsIntoParts(const SolveJob& job, const Solution& solution) {
  std::set<std::string> names;
  for (const ColmapModel& model : solution.mapping.models) {
    for (const auto& [id, image] : model.images) names.insert(image.name);
  }
  return static_cast<double>(names.size()) >= kEnough * Count(job);
}

Workplace Beside(const SolveJob& job, const std::string& rung) {
  Workplace place = job.place;
  place.scratch /= rung;
  return place;
}

CameraPrior PriorOf(const SolveJob& job, const std::string& camera_model) {
  std::vector<fs::path> photos;
  if (!job.video) {
    for (const std::string& name : job.names) {
      photos.push_back(job.frames / name);
    }
  }
  return MakeCameraPrior(camera_model, job.width, job.height, photos);
}

// Neighbours, and what looks like the same place.
std::vector<ImagePair> PairsByLooks(const SolveJob& job,
                                    const std::vector<Features>& features,
                                    int overlap) {
  std::vector<ImagePair> pairs = SequentialPairs(Count(job), overlap);
  const std::vector<ImagePair> loops = FilterByLargestFeatures(
      LoopCandidates(Count(job), overlap), features, job.place);
  pairs.insert(pairs.end(), loops.begin(), loops.end());
  return pairs;
}

// Of a video only neighbours in time: what looks alike from far apart may be
// the other side of a thing that repeats itself, and places seen again are
// found once a model stands.
std::vector<ImagePair> FirstPairs(const SolveJob& job,
                                  const std::vector<Features>& features) {
  const ColmapOptions& options = job.options;
  if (options.matching == "exhaustive" ||
      (options.matching == "auto" && !job.video &&
       job.names.size() <= kMaxExhaustive)) {
    return ExhaustivePairs(Count(job));
  }
  return job.video ? NeighbourPairs(Count(job), options.overlap)
                   : PairsByLooks(job, features, options.overlap);
}

std::vector<ImagePair> PairsOf(const Solution& solution) {
  std::vector<ImagePair> pairs;
  for (const MatchedPair& pair : solution.pairs) {
    pairs.emplace_back(pair.first, pair.second);
  }
  return pairs;
}

void WriteDatabaseOf(const SolveJob& job,
                     const Solution& solution,
                     const std::vector<MatchedPair>& pairs,
                     const fs::path& path) {
  fs::remove(path);
  WriteDatabase(path, solution.prior, job.names, solution.features, pairs);
}

// What cameras are solved from: its path.
fs::path WriteChosenTracks(const SolveJob& job, const Solution& solution) {
  fs::path path = job.place.scratch / "chosen_tracks.db";
  WriteDatabaseOf(job,
                  solution,
                  WithChosenTracks(
                      solution.pairs, solution.features, job.width, job.height),
                  path);
  return path;
}

MappingOptions OptionsOf(const SolveJob& job, bool relaxed) {
  MappingOptions options;
  options.relaxed = relaxed;
  options.one_walk = job.video;
  return options;
}

void Map(const SolveJob& job, bool relaxed, Solution* solution) {
  solution->mapping = MapImages(WriteChosenTracks(job, *solution),
                                job.frames,
                                job.names,
                                OptionsOf(job, relaxed),
                                job.place.report);
}

// What stands in the solution, with all pairs and images of `database`.
void Extend(const SolveJob& job,
            const fs::path& database,
            bool adjust,
            Solution* solution) {
  const fs::path scratch = job.place.scratch / "standing";
  fs::create_directories(scratch);
  solution->mapping = ExtendModel(database,
                                  solution->mapping,
                                  OptionsOf(job, /*relaxed=*/false),
                                  adjust,
                                  job.place.threads,
                                  scratch,
                                  job.place.report);
}

bool HasManyLensParameters(const SolveJob& job) {
  return job.options.camera_model == "OPENCV" ||
         job.options.camera_model == "RADIAL";
}

// Takes the features on still things out and matches the rest again. False if
// there are none.
bool LeaveOutStill(const SolveJob& job,
                   const Workplace& place,
                   Solution* solution) {
  const std::vector<std::vector<bool>> still = FindStillFeatures(
      solution->pairs, solution->features, std::hypot(job.width, job.height));
  if (still.empty()) return false;
  for (size_t i = 0; i < still.size(); ++i) {
    solution->features[i] = WithoutFeatures(solution->features[i], still[i]);
  }
  // What moves covers too little of the picture to tell more of the lens.
  if (HasManyLensParameters(job)) {
    solution->prior = PriorOf(job, "SIMPLE_RADIAL");
  }
  solution->pairs = MatchAllPairs(job.names,
                                  solution->features,
                                  solution->prior,
                                  PairsOf(*solution),
                                  place);
  return true;
}

// Every rung makes a solution from the best so far, or nothing when it has
// nothing to add.
using Climb = std::optional<Solution> (*)(const SolveJob&, const Solution&);

// Adds those of `pairs` that are not matched yet; how many fit a geometry.
int AddPairs(const SolveJob& job,
             const std::vector<ImagePair>& pairs,
             const std::string& rung,
             Solution* solution) {
  const std::vector<ImagePair> had = PairsOf(*solution);
  const std::set<ImagePair> matched(had.begin(), had.end());
  std::vector<ImagePair> more;
  for (const ImagePair& pair : pairs) {
    if (!matched.contains(pair)) more.push_back(pair);
  }
  if (more.empty()) return 0;
  std::vector<MatchedPair> found = MatchAllPairs(job.names,
                                                 solution->features,
                                                 solution->prior,
                                                 std::move(more),
                                                 Beside(job, rung));
  const auto fitting =
      std::count_if(found.begin(), found.end(), [](const MatchedPair& pair) {
        return !pair.geometry.inliers.empty();
      });
  std::move(found.begin(), found.end(), std::back_inserter(solution->pairs));
  return static_cast<int>(fitting);
}

// The model that stands, with the places that it shows to be seen again.
Solution WithLoops(const SolveJob& job, const Solution& rough) {
  const MappingResult& mapping = rough.mapping;
  Solution next = rough;
  const int loops = AddPairs(
      job,
      PairsByProximity(
          mapping.models[mapping.chosen], job.names, job.options.overlap),
      "loops",
      &next);
  job.place.report->Detail(
      fmt::format("{} pairs from places seen again", loops));
  Extend(job, WriteChosenTracks(job, next), /*adjust=*/true, &next);
  return next;
}

// By keyframes, between which the others are placed. False if there are hardly
// fewer of them than frames, or too many frames find no place.
bool SolveByKeyframes(const SolveJob& job, Solution* solution) {
  constexpr double kWorthIt = 0.75;
  const std::vector<int> keyframes =
      ChooseKeyframes(Count(job), solution->pairs, job.options.overlap);
  if (static_cast<double>(keyframes.size()) > kWorthIt * Count(job)) {
    return false;
  }
  std::vector<std::string> names;
  for (const int frame : keyframes) names.push_back(job.names[frame]);
  const fs::path database = WriteChosenTracks(job, *solution);
  solution->mapping = MapImages(database,
                                job.frames,
                                names,
                                OptionsOf(job, /*relaxed=*/false),
                                job.place.report);
  if (solution->mapping.chosen < 0) return false;
  Extend(job, database, /*adjust=*/false, solution);
  job.place.report->Detail(
      fmt::format("{} of {} images placed, from {} of them",
                  solution->mapping.Registered(),
                  Count(job),
                  keyframes.size()));
  return IsEnough(job, *solution);
}

// A walk is solved by its neighbours first. Should what is found then to be
// seen again make it jump, it is solved without.
void SolveWalk(const SolveJob& job, Solution* solution) {
  if (!SolveByKeyframes(job, solution)) Map(job, /*relaxed=*/false, solution);
  if (solution->mapping.chosen < 0) return;
  Solution closed = WithLoops(job, *solution);
  if (!IsBetter(*solution, closed)) *solution = std::move(closed);
}

std::optional<Solution> WithMorePairs(const SolveJob& job,
                                      const Solution& best) {
  Solution next = best;
  const std::vector<ImagePair> pairs =
      job.names.size() <= kMaxExhaustiveLater
          ? ExhaustivePairs(Count(job))
          : PairsByLooks(job, next.features, 4 * job.options.overlap);
  if (AddPairs(job, pairs, "more-pairs", &next) == 0) return std::nullopt;
  Map(job, /*relaxed=*/false, &next);
  return next;
}

std::optional<Solution> WithLessParallax(const SolveJob& job,
                                         const Solution& best) {
  Solution next = best;
  Map(job, /*relaxed=*/true, &next);
  return next;
}

std::optional<Solution> WithMoreFeatures(const SolveJob& job,
                                         const Solution& best) {
  Solution next = best;
  next.feature_options.max_features *= 2;
  const Workplace place = Beside(job, "more-features");
  next.features = ExtractAllFeatures(job.frames,
                                     job.names,
                                     job.width,
                                     job.height,
                                     next.feature_options,
                                     place);
  next.pairs =
      MatchAllPairs(job.names, next.features, next.prior, PairsOf(best), place);
  LeaveOutStill(job, Beside(job, "more-features-moving"), &next);
  Map(job, /*relaxed=*/true, &next);
  return next;
}

std::optional<Solution> WithSimplerLens(const SolveJob& job,
                                        const Solution& best) {
  if (!HasManyLensParameters(job)) return std::nullopt;
  Solution next = best;
  next.prior = PriorOf(job, "SIMPLE_RADIAL");
  Map(job, /*relaxed=*/true, &next);
  return next;
}

}  // namespace

Solution MatchCapture(const SolveJob& job) {
  Solution solution;
  solution.prior = PriorOf(job, job.options.camera_model);
  solution.feature_options = {job.options.max_image_size,
                              job.options.max_features};
  solution.features = ExtractAllFeatures(job.frames,
                                         job.names,
                                         job.width,
                                         job.height,
                                         solution.feature_options,
                                         job.place);
  solution.pairs = MatchAllPairs(job.names,
                                 solution.features,
                                 solution.prior,
                                 FirstPairs(job, solution.features),
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
  Report& report = *job.place.report;
  if (job.video) {
    SolveWalk(job, solution);
  } else {
    Map(job, /*relaxed=*/false, solution);
  }
  bool climbed = false;
  const std::pair<const char*, Climb> rungs[] = {
      {"a start with less parallax", WithLessParallax},
      {"more pairs", WithMorePairs},
      {"more features", WithMoreFeatures},
      {"a simpler lens", WithSimplerLens}};
  for (const auto& [name, climb] : rungs) {
    if (IsEnough(job, *solution) ||
        (climb != &WithMorePairs && FallsIntoParts(job, *solution))) {
      break;
    }
    const int had = solution->mapping.Registered();
    std::optional<Solution> next = climb(job, *solution);
    if (!next) continue;
    const int got = next->mapping.Registered();
    const bool helped = IsBetter(*next, *solution);
    report.Info(fmt::format(
        "{} of {} images placed; {}: {}",
        had,
        Count(job),
        name,
        helped ? fmt::format("{} placed", got) : std::string("no gain")));
    if (!helped) continue;
    *solution = std::move(*next);
    climbed = true;
  }
  if (climbed && job.video) {
    Solution closed = WithLoops(job, *solution);
    if (!IsBetter(*solution, closed)) *solution = std::move(closed);
  }
  WriteDatabaseOf(job, *solution, solution->pairs, job.database);
  if (solution->mapping.chosen < 0) return;
  FinishModel(job.frames,
              job.database,
              solution->features,
              job.place,
              &solution->mapping);
}

}  // namespace nerfpipe::sfm
