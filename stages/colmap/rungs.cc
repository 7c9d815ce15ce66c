#include "stages/colmap/rungs.h"

#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "stages/colmap/frames_between.h"
#include "stages/colmap/guided_matching.h"
#include "stages/colmap/pair_list.h"

#include <atomic>
#include <utility>

namespace nerfpipe::sfm {
namespace {

namespace fs = std::filesystem;

// Up to this many images are matched each with each when nothing else helps.
constexpr int kMaxExhaustive = 250;

// The features that are found in the end beside those that are there.
bool FitsIntoMemory(const SolveJob& job, const Solution& best, int64_t more) {
  int64_t there = 0;
  for (const Features& features : best.features) there += features.Count();
  return there + more <= job.most_features;
}

// A clip that can no longer be read gives none.
std::vector<FrameBetween> Decoded(const SolveJob& job,
                                  const std::vector<FrameBetween>& wanted,
                                  const fs::path& folder,
                                  const Workplace& place) {
  try {
    return DecodeFramesBetween(job.clip,
                               wanted,
                               job.width,
                               job.height,
                               folder,
                               place.threads,
                               place.report);
  } catch (const UserError& error) {
    place.report->Detail(error.what());
    return {};
  }
}

// The frames that `decoded` come after move up.
void Insert(const std::vector<FrameBetween>& decoded,
            std::vector<Features> features,
            Solution* solution) {
  std::vector<int> place_of;  // by the old one
  std::vector<std::string> names;
  std::vector<Features> all;
  size_t next = 0;
  for (int i = 0; i < solution->Count(); ++i) {
    place_of.push_back(static_cast<int>(names.size()));
    names.push_back(solution->names[i]);
    all.push_back(std::move(solution->features[i]));
    for (; next < decoded.size() && decoded[next].after == i; ++next) {
      names.push_back(decoded[next].name);
      all.push_back(std::move(features[next]));
    }
  }
  solution->names = std::move(names);
  solution->features = std::move(all);
  for (MatchedPair& pair : solution->pairs) {
    pair.first = place_of[pair.first];
    pair.second = place_of[pair.second];
  }
}

}  // namespace

std::optional<Solution> WithLessParallax(const SolveJob& job,
                                         const Solution& best) {
  Solution next = best;
  Map(job, /*relaxed=*/true, &next);
  return next;
}

std::optional<Solution> WithMorePairs(const SolveJob& job,
                                      const Solution& best) {
  Solution next = best;
  const std::vector<ImagePair> pairs =
      next.Count() <= kMaxExhaustive
          ? ExhaustivePairs(next.Count())
          : PairsByLooks(job, next.features, 4 * job.options.overlap);
  if (AddPairs(job, pairs, "more-pairs", &next) == 0) return std::nullopt;
  Map(job, /*relaxed=*/false, &next);
  return next;
}

std::optional<Solution> WithGuidedMatching(const SolveJob& job,
                                           const Solution& best) {
  Solution next = best;
  const auto progress = job.place.report->Start(
      "guided matching", static_cast<int64_t>(next.pairs.size()), "pairs");
  std::atomic<int64_t> done = 0;
  std::atomic<size_t> more = 0;
  ParallelFor(static_cast<int64_t>(next.pairs.size()),
              job.place.threads,
              [&](int64_t i) {
                ThrowIfInterrupted();
                MatchedPair& pair = next.pairs[i];
                std::vector<FeatureMatch> found =
                    MatchGuided(pair.geometry,
                                next.features[pair.first],
                                next.features[pair.second]);
                if (found.size() > pair.geometry.inliers.size()) {
                  more += found.size() - pair.geometry.inliers.size();
                  pair.geometry.inliers = std::move(found);
                }
                progress->Update(++done);
              });
  if (more == 0) return std::nullopt;
  Map(job, /*relaxed=*/false, &next);
  return next;
}

std::optional<Solution> WithFramesBetween(const SolveJob& job,
                                          const Solution& best) {
  // Once: what is between them then is hardly another view.
  if (!job.video || best.frames != job.frames || !fs::exists(job.clip)) {
    return std::nullopt;
  }
  const std::vector<FrameBetween> wanted =
      ChooseFramesBetween(job.names, job.clip_indices, best.mapping.models);
  if (wanted.empty() ||
      !FitsIntoMemory(job,
                      best,
                      static_cast<int64_t>(wanted.size()) *
                          best.feature_options.max_features)) {
    return std::nullopt;
  }
  const Workplace place = Beside(job, "frames-between");
  Solution next = best;
  next.frames = place.scratch / "frames";
  fs::create_directories(next.frames);
  for (const std::string& name : job.names) {
    fs::copy_file(job.frames / name,
                  next.frames / name,
                  fs::copy_options::overwrite_existing);
  }
  const std::vector<FrameBetween> decoded =
      Decoded(job, wanted, next.frames, place);
  if (decoded.empty()) return std::nullopt;
  std::vector<std::string> names;
  for (const FrameBetween& frame : decoded) names.push_back(frame.name);
  Insert(decoded,
         ExtractAllFeatures(next.frames,
                            names,
                            job.width,
                            job.height,
                            next.feature_options,
                            place),
         &next);
  AddPairs(job,
           NeighbourPairs(next.Count(), job.options.overlap),
           "frames-between",
           &next);
  LeaveOutStill(job, Beside(job, "frames-between-moving"), &next);
  Map(job, /*relaxed=*/false, &next);
  return next;
}

std::optional<Solution> WithMoreFeatures(const SolveJob& job,
                                         const Solution& best) {
  Solution next = best;
  next.feature_options.max_features *= 2;
  if (!FitsIntoMemory(job,
                      best,
                      static_cast<int64_t>(best.Count()) *
                          next.feature_options.max_features)) {
    return std::nullopt;
  }
  const Workplace place = Beside(job, "more-features");
  next.features = ExtractAllFeatures(next.frames,
                                     next.names,
                                     job.width,
                                     job.height,
                                     next.feature_options,
                                     place);
  next.pairs = MatchAllPairs(
      next.names, next.features, next.prior, PairsOf(best), place);
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

}  // namespace nerfpipe::sfm
