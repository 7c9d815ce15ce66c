#include "stages/colmap/solution.h"

#include "pipeline/base/median.h"
#include "stages/colmap/mapping/database_file.h"
#include "stages/colmap/mapping/proximity.h"
#include "stages/colmap/mapping/track_choice.h"
#include "stages/colmap/matching/camera_prior.h"
#include "stages/colmap/matching/pair_list.h"
#include "stages/colmap/matching/still_features.h"
#include "stages/colmap/refinement/lens_choice.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace nerfpipe::sfm {
namespace {

namespace fs = std::filesystem;

void AddNames(const ColmapModel& model, std::set<std::string>* names) {
  for (const auto& [id, image] : model.images) names->insert(image.name);
}

int CountOf(const SolveJob& job, const std::set<std::string>& names) {
  return static_cast<int>(
      std::count_if(job.names.begin(), job.names.end(), [&](const auto& name) {
        return names.contains(name);
      }));
}

MappingOptions OptionsOf(const SolveJob& job, bool relaxed) {
  MappingOptions options;
  options.relaxed = relaxed;
  options.one_walk = job.video;
  return options;
}

}  // namespace

int Registered(const SolveJob& job, const Solution& solution) {
  const MappingResult& mapping = solution.mapping;
  if (mapping.chosen < 0) return 0;
  std::set<std::string> names;
  AddNames(mapping.models[mapping.chosen], &names);
  return CountOf(job, names);
}

int RegisteredAnywhere(const SolveJob& job, const Solution& solution) {
  std::set<std::string> names;
  for (const ColmapModel& model : solution.mapping.models) {
    AddNames(model, &names);
  }
  return CountOf(job, names);
}

Workplace Beside(const SolveJob& job, const std::string& way) {
  Workplace place = job.place;
  place.scratch /= way;
  return place;
}

std::string FirstCameraModel(const SolveJob& job) {
  return job.options.camera_model == "auto" ? "SIMPLE_RADIAL"
                                            : job.options.camera_model;
}

CameraPriors PriorsOf(const SolveJob& job, const std::string& camera_model) {
  if (job.lenses.empty()) {
    return MakeCameraPrior(camera_model, job.width, job.height, 0, {});
  }
  CameraPriors priors;
  priors.of_image = GroupByLens(job.lenses);
  const int groups =
      1 + *std::max_element(priors.of_image.begin(), priors.of_image.end());
  for (int group = 0; group < groups; ++group) {
    std::vector<double> focals;
    std::vector<fs::path> photos;
    const ImageLens* first = nullptr;
    for (size_t i = 0; i < job.lenses.size(); ++i) {
      if (priors.of_image[i] != group) continue;
      if (first == nullptr) first = &job.lenses[i];
      if (job.lenses[i].focal > 0) focals.push_back(job.lenses[i].focal);
      if (!job.video) photos.push_back(job.frames / job.names[i]);
    }
    const double focal = focals.empty() ? 0 : UpperMedian(std::move(focals));
    priors.cameras.push_back(MakeCameraPrior(
        camera_model, first->width, first->height, focal, photos));
  }
  // Frames that are taken between the others have the same camera.
  if (groups == 1) priors.of_image.clear();
  return priors;
}

bool HasManyLensParameters(const SolveJob& job) {
  return job.options.camera_model == "OPENCV" ||
         job.options.camera_model == "RADIAL";
}

std::vector<ImagePair> PairsOf(const Solution& solution) {
  std::vector<ImagePair> pairs;
  for (const MatchedPair& pair : solution.pairs) {
    pairs.emplace_back(pair.first, pair.second);
  }
  return pairs;
}

std::vector<ImagePair> PairsByLooks(const SolveJob& job,
                                    const std::vector<Features>& features,
                                    int overlap) {
  const auto images = static_cast<int>(features.size());
  std::vector<ImagePair> pairs = SequentialPairs(images, overlap);
  const std::vector<ImagePair> loops = FilterByLargestFeatures(
      LoopCandidates(images, overlap), features, job.place);
  pairs.insert(pairs.end(), loops.begin(), loops.end());
  return pairs;
}

int AddPairs(const SolveJob& job,
             const std::vector<ImagePair>& pairs,
             const std::string& way,
             Solution* solution) {
  const std::vector<ImagePair> had = PairsOf(*solution);
  const std::set<ImagePair> matched(had.begin(), had.end());
  std::vector<ImagePair> more;
  for (const ImagePair& pair : pairs) {
    if (!matched.contains(pair)) more.push_back(pair);
  }
  if (more.empty()) return 0;
  std::vector<MatchedPair> found = MatchAllPairs(solution->names,
                                                 solution->features,
                                                 solution->cameras,
                                                 std::move(more),
                                                 Beside(job, way));
  const auto fitting =
      std::count_if(found.begin(), found.end(), [](const MatchedPair& pair) {
        return !pair.geometry.inliers.empty();
      });
  std::move(found.begin(), found.end(), std::back_inserter(solution->pairs));
  return static_cast<int>(fitting);
}

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
    solution->cameras = PriorsOf(job, "SIMPLE_RADIAL");
  }
  solution->pairs = MatchAllPairs(solution->names,
                                  solution->features,
                                  solution->cameras,
                                  PairsOf(*solution),
                                  place);
  return true;
}

void WriteDatabaseOf(const Solution& solution,
                     const std::vector<MatchedPair>& pairs,
                     DatabaseContent content,
                     const fs::path& path) {
  WriteDatabase(path,
                solution.cameras,
                solution.names,
                solution.features,
                pairs,
                content);
}

fs::path WriteChosenTracks(const SolveJob& job, const Solution& solution) {
  fs::path path = job.place.scratch / "chosen_tracks.db";
  WriteDatabaseOf(
      solution,
      WithChosenTracks(solution.pairs, solution.features, solution.cameras),
      DatabaseContent::kForMapping,
      path);
  return path;
}

void Map(const SolveJob& job,
         const fs::path& database,
         const std::vector<std::string>& names,
         bool relaxed,
         Solution* solution) {
  solution->mapping = MapImages(database,
                                solution->frames,
                                names,
                                OptionsOf(job, relaxed),
                                job.place.report);
}

void Map(const SolveJob& job, bool relaxed, Solution* solution) {
  const fs::path database = WriteChosenTracks(job, *solution);
  Map(job, database, solution->names, relaxed, solution);
  ImproveLens(job, database, solution);
}

void Extend(const SolveJob& job,
            const fs::path& database,
            bool adjust,
            Solution* solution) {
  solution->mapping = ExtendModel(database,
                                  solution->mapping,
                                  OptionsOf(job, /*relaxed=*/false),
                                  adjust,
                                  job.place.threads,
                                  job.place.report);
}

void ImproveLens(const SolveJob& job,
                 const fs::path& database,
                 Solution* solution) {
  MappingResult& mapping = solution->mapping;
  if (mapping.chosen < 0) return;
  if (job.options.camera_model == "auto" &&
      ChooseLensOf(job.place.threads,
                   job.place.report,
                   &mapping.models[mapping.chosen])) {
    Extend(job, database, /*adjust=*/true, solution);
  }
  mapping.absurd_lens = WhatIsAbsurd(mapping.models[mapping.chosen]);
}

Solution WithLoops(const SolveJob& job,
                   const std::string& way,
                   const Solution& rough) {
  const MappingResult& mapping = rough.mapping;
  Solution next = rough;
  const int loops = AddPairs(
      job,
      PairsByProximity(
          mapping.models[mapping.chosen], rough.names, job.options.overlap),
      way,
      &next);
  job.place.report->Detail(
      fmt::format("{} pairs from places seen again", loops));
  Extend(job, WriteChosenTracks(job, next), /*adjust=*/true, &next);
  return next;
}

}  // namespace nerfpipe::sfm
