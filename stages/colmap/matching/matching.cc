#include "stages/colmap/matching/matching.h"

#include "pipeline/base/digest.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "stages/colmap/features/searched_picture.h"
#include "stages/colmap/matching/kept_work.h"
#include "stages/common/dataset_folder.h"
#include "stages/media/image_file.h"
#include "stages/media/mask_file.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <span>

#include <fmt/format.h>

namespace nerfpipe::sfm {
namespace {

namespace fs = std::filesystem;

// FNV-1a over both names: the same pair has the same random numbers in every
// run, whatever else is matched.
uint32_t PairSeed(const std::string& first, const std::string& second) {
  uint32_t hash = 2166136261u;
  for (const unsigned char c : first + '\n' + second) {
    hash = (hash ^ c) * 16777619u;
  }
  return hash;
}

std::span<const uint8_t> LargestDescriptors(const Features& features,
                                            int count) {
  return std::span(features.descriptors)
      .first(static_cast<size_t>(std::min(count, features.Count())) *
             kDescriptorSize);
}

// Of all pairs with a score that is no accident, those among the best few of
// either image.
std::vector<ImagePair> BestPerImage(const std::vector<ImagePair>& candidates,
                                    const std::vector<int>& scores,
                                    size_t images) {
  constexpr int kMinScore = 6;
  constexpr size_t kPerImage = 8;
  std::vector<std::vector<size_t>> of_image(images);
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (scores[i] >= kMinScore) {
      of_image[candidates[i].first].push_back(i);
      of_image[candidates[i].second].push_back(i);
    }
  }
  std::set<ImagePair> chosen;
  for (std::vector<size_t>& partners : of_image) {
    std::stable_sort(partners.begin(), partners.end(), [&](size_t a, size_t b) {
      return scores[a] > scores[b];
    });
    partners.resize(std::min(partners.size(), kPerImage));
    for (const size_t i : partners) {
      chosen.insert(candidates[i]);
    }
  }
  return {chosen.begin(), chosen.end()};
}

// From the mask's file if there is one, less what is transparent.
Image MaskOf(const Image& image, const fs::path& file) {
  Image mask;
  if (fs::exists(file)) mask = ReadMask(file, image.width, image.height);
  if (image.channels != 4) return mask;
  if (mask.pixels.empty()) {
    mask = Image(image.width, image.height, 1);
    std::fill(mask.pixels.begin(), mask.pixels.end(), uint8_t{255});
  }
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    if (image.pixels[4 * i + 3] < 128) mask.pixels[i] = 0;
  }
  return mask;
}

// What the matches of an image depend on besides the images' numbers, which
// other images may have had in an earlier sitting: frames are taken between
// those that were there, or a clip is no longer what it was.
std::string DigestOfMatched(const std::string& name,
                            const Features& features,
                            const CameraPrior& prior) {
  DigestBuilder digest;
  digest.Add(name).Add(SerializeFeatures(features));
  digest.Add(std::to_string(prior.camera.model_id));
  for (const double param : prior.camera.params) {
    digest.Add({reinterpret_cast<const char*>(&param), sizeof(param)});
  }
  return digest.Finish();
}

// Of the first image of `pairs`, and of all others in their order.
std::string DigestOfPairs(const std::vector<ImagePair>& pairs,
                          const std::vector<std::string>& of_image) {
  DigestBuilder digest;
  digest.Add(of_image[pairs.front().first]);
  for (const ImagePair& pair : pairs) digest.Add(of_image[pair.second]);
  return digest.Finish();
}

std::optional<std::vector<MatchedPair>> LoadPairs(
    const fs::path& path,
    const std::string& digest,
    const std::vector<ImagePair>& wanted) {
  const auto bytes = ReadKept(path, digest);
  if (!bytes) {
    return std::nullopt;
  }
  auto pairs = ParsePairs(*bytes);
  const auto same = [](const MatchedPair& pair, const ImagePair& want) {
    return pair.first == want.first && pair.second == want.second;
  };
  if (!pairs ||
      !std::equal(
          pairs->begin(), pairs->end(), wanted.begin(), wanted.end(), same)) {
    return std::nullopt;
  }
  return pairs;
}

}  // namespace

std::vector<Features> ExtractAllFeatures(const fs::path& folder,
                                         const fs::path& masks,
                                         const std::vector<std::string>& names,
                                         const CameraPriors& cameras,
                                         const FeatureOptions& options,
                                         const Workplace& place) {
  const auto read = [&](size_t i) {
    Image image = ReadImage(folder / names[i], /*keep_alpha=*/true);
    const ColmapCamera& camera = cameras.Of(i).camera;
    if (image.width != camera.width || image.height != camera.height) {
      throw UserError(fmt::format("frames/{} is {}x{}, its camera {}x{}",
                                  names[i],
                                  image.width,
                                  image.height,
                                  camera.width,
                                  camera.height),
                      "run the stage check again");
    }
    Image mask = MaskOf(image, masks / MaskName(names[i]));
    return SearchedPicture{std::move(image), std::move(mask)};
  };
  const auto progress = place.report->Start(
      "finding features", static_cast<int64_t>(names.size()), "images");
  const KeptFeatures kept(
      place.scratch / "features", folder, masks, names, options, place.threads);
  std::vector<Features> all(names.size());
  std::vector<size_t> missing;
  for (size_t i = 0; i < names.size(); ++i) {
    if (std::optional<Features> features = kept.Load(i)) {
      all[i] = std::move(*features);
    } else {
      missing.push_back(i);
    }
  }
  if (missing.empty()) {
    return all;
  }
  // Three samples say whether the images are rich enough as they are. Ellipses
  // are looked for in one way only.
  bool rich = true;
  if (!options.affine) {
    for (const size_t i : SamplesOf(names.size())) {
      rich = rich && IsRichInFeatures(WithContrast(read(i)), options);
    }
  }
  const FeatureFinder finder(options, /*doubled=*/!rich);
  std::atomic<int64_t> done = static_cast<int64_t>(all.size() - missing.size());
  ParallelFor(missing.size(), place.search_threads, [&](int64_t k) {
    ThrowIfInterrupted();
    const size_t i = missing[k];
    const SearchedPicture picture = read(i);
    all[i] = InsideMask(finder.Find(WithContrast(picture)), picture);
    kept.Save(i, all[i]);
    progress->Update(++done);
  });
  return all;
}

std::vector<ImagePair> FilterByLargestFeatures(
    const std::vector<ImagePair>& candidates,
    const std::vector<Features>& features,
    const Workplace& place) {
  constexpr int kFeatures = 300;
  std::vector<int> scores(candidates.size());
  const auto progress = place.report->Start(
      "looking for loops", static_cast<int64_t>(candidates.size()), "pairs");
  std::atomic<int64_t> done = 0;
  ParallelFor(candidates.size(), place.threads, [&](int64_t i) {
    ThrowIfInterrupted();
    const auto [first, second] = candidates[i];
    scores[i] = static_cast<int>(
        MatchDescriptors(LargestDescriptors(features[first], kFeatures),
                         LargestDescriptors(features[second], kFeatures))
            .size());
    progress->Update(++done);
  });
  return BestPerImage(candidates, scores, features.size());
}

std::vector<MatchedPair> MatchAllPairs(const std::vector<std::string>& names,
                                       const std::vector<Features>& features,
                                       const CameraPriors& cameras,
                                       std::vector<ImagePair> pairs,
                                       const Workplace& place) {
  std::sort(pairs.begin(), pairs.end());
  // A file holds all pairs of one first image.
  std::map<int, std::vector<ImagePair>> groups;
  for (const ImagePair& pair : pairs) {
    groups[pair.first].push_back(pair);
  }
  const std::vector<std::pair<int, std::vector<ImagePair>>> rows(groups.begin(),
                                                                 groups.end());
  const fs::path kept = place.scratch / "pairs";
  fs::create_directories(kept);
  std::vector<std::string> digests(names.size());
  ParallelFor(names.size(), place.threads, [&](int64_t i) {
    digests[i] = DigestOfMatched(names[i], features[i], cameras.Of(i));
  });
  std::vector<std::vector<MatchedPair>> results(rows.size());
  const auto progress = place.report->Start(
      "matching", static_cast<int64_t>(pairs.size()), "pairs");
  std::atomic<int64_t> done = 0;
  ParallelFor(rows.size(), place.threads, [&](int64_t i) {
    const auto& [first, wanted] = rows[i];
    const fs::path file = kept / (names[first] + ".bin");
    const std::string digest = DigestOfPairs(wanted, digests);
    if (auto earlier = LoadPairs(file, digest, wanted)) {
      results[i] = std::move(*earlier);
      progress->Update(done += static_cast<int64_t>(wanted.size()));
      return;
    }
    for (const auto& [a, b] : wanted) {
      ThrowIfInterrupted();
      MatchedPair pair{a, b, {}, {}};
      pair.matches =
          MatchDescriptors(features[a].descriptors, features[b].descriptors);
      pair.geometry = VerifyMatches(cameras.Of(a),
                                    cameras.Of(b),
                                    features[a],
                                    features[b],
                                    pair.matches,
                                    PairSeed(names[a], names[b]));
      results[i].push_back(std::move(pair));
      progress->Update(++done);
    }
    WriteKept(file, digest, SerializePairs(results[i]));
  });
  std::vector<MatchedPair> all;
  all.reserve(pairs.size());
  for (std::vector<MatchedPair>& row : results) {
    std::move(row.begin(), row.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace nerfpipe::sfm
