#include "stages/colmap/rungs.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/digest.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "stages/colmap/frames_between.h"
#include "stages/colmap/matching/guided_matching.h"
#include "stages/colmap/matching/pair_list.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace nerfpipe::sfm {
namespace {

namespace fs = std::filesystem;

// Up to this many images are matched each with each when nothing else helps.
constexpr int kMaxExhaustive = 250;

int64_t CountOfFeatures(const Solution& solution) {
  int64_t count = 0;
  for (const Features& features : solution.features) count += features.Count();
  return count;
}

// For that many features beside those that are there; says so if not.
bool HasRoom(const SolveJob& job, const Solution& best, int64_t more) {
  const int64_t features = CountOfFeatures(best) + more;
  if (features <= job.memory.most_features) return true;
  if (job.memory_wanted != nullptr) {
    *job.memory_wanted =
        std::max(*job.memory_wanted, job.memory.LimitFor(features));
  }
  job.place.report->Detail(
      "no memory for more features: a larger --mem would allow them");
  return false;
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

// A name tells how many frames after which one it is, not which of the clip.
std::string DigestOf(const std::vector<FrameBetween>& wanted) {
  DigestBuilder digest;
  for (const FrameBetween& frame : wanted) {
    digest.Add(fmt::format("{} {}\n", frame.name, frame.index));
  }
  return digest.Finish();
}

// Features found anew.
std::optional<Solution> WithFeatures(const SolveJob& job,
                                     const FeatureOptions& options,
                                     const std::string& way,
                                     const Solution& best) {
  Solution next = best;
  next.feature_options = options;
  const int64_t more =
      static_cast<int64_t>(best.Count()) * options.max_features;
  if (!HasRoom(job, best, more)) return std::nullopt;
  // Another sitting, with more memory or less, comes here with others.
  Workplace place =
      Beside(job, fmt::format("{}-{}", way, options.max_features));
  place.search_threads =
      std::min(place.search_threads,
               job.memory.ThreadsBeside(CountOfFeatures(best) + more));
  if (options.affine) {  // two scale spaces each
    place.search_threads = std::max(1, place.search_threads / 2);
  }
  next.features = ExtractAllFeatures(
      next.frames, job.masks, next.names, next.cameras, options, place);
  next.pairs = MatchAllPairs(
      next.names, next.features, next.cameras, PairsOf(best), place);
  LeaveOutStill(job, Beside(job, way + "-moving"), &next);
  Map(job, /*relaxed=*/true, &next);
  return next;
}

// Mapped again with another model of the lens.
std::optional<Solution> WithLens(const SolveJob& job,
                                 const std::string& camera_model,
                                 const Solution& best) {
  Solution next = best;
  next.cameras = PriorsOf(job, camera_model);
  if (next.cameras.cameras[0].camera.model_id ==
      best.cameras.cameras[0].camera.model_id) {
    return std::nullopt;
  }
  Map(job, /*relaxed=*/true, &next);
  return next;
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
  if (!job.video || best.frames != job.frames || !fs::exists(job.clip) ||
      !best.cameras.of_image.empty()) {
    return std::nullopt;
  }
  const std::vector<FrameBetween> wanted =
      ChooseFramesBetween(job.names, job.clip_indices, best.mapping.models);
  if (wanted.empty() || !HasRoom(job,
                                 best,
                                 static_cast<int64_t>(wanted.size()) *
                                     best.feature_options.max_features)) {
    return std::nullopt;
  }
  const Workplace place = Beside(job, "frames-between-" + DigestOf(wanted));
  Solution next = best;
  next.frames = place.scratch / "frames";
  fs::create_directories(next.frames);
  for (const std::string& name : job.names) {
    WriteFileAside(next.frames / name, ReadFile(job.frames / name));
  }
  const std::vector<FrameBetween> decoded = DecodeFramesBetween(job.clip,
                                                                wanted,
                                                                job.width,
                                                                job.height,
                                                                next.frames,
                                                                place.threads,
                                                                place.report);
  if (decoded.empty()) return std::nullopt;
  std::vector<std::string> names;
  for (const FrameBetween& frame : decoded) names.push_back(frame.name);
  Insert(decoded,
         ExtractAllFeatures(next.frames,
                            job.masks,
                            names,
                            next.cameras,
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
  FeatureOptions options = best.feature_options;
  options.max_features *= 2;
  return WithFeatures(job, options, "more-features", best);
}

std::optional<Solution> WithEllipses(const SolveJob& job,
                                     const Solution& best) {
  FeatureOptions options = best.feature_options;
  options.affine = true;
  return WithFeatures(job, options, "ellipses", best);
}

std::optional<Solution> WithSimplerLens(const SolveJob& job,
                                        const Solution& best) {
  if (!HasManyLensParameters(job)) return std::nullopt;
  return WithLens(job, "SIMPLE_RADIAL", best);
}

std::optional<Solution> WithRicherLens(const SolveJob& job,
                                       const Solution& best) {
  if (job.options.camera_model != "auto") return std::nullopt;
  return WithLens(job, "RADIAL", best);
}

}  // namespace nerfpipe::sfm
