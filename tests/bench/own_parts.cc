// What the stage `colmap` does itself against what COLMAP has for it, on one
// thread:
//
//   own_parts FRAMES [COUNT]
//
// FRAMES is a folder of images of one size, of which the first COUNT (10) are
// taken. Prints seconds an image, a pair and an image.

#include "stages/colmap/features/features.h"
#include "stages/colmap/mapping/lens.h"
#include "stages/colmap/matching/colmap_types.h"
#include "stages/colmap/matching/descriptor_matcher.h"
#include "stages/colmap/refinement/undistortion.h"
#include "stages/colmap/refinement/warp.h"
#include "stages/media/image_file.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <vector>

#include <colmap/feature/sift.h>
#include <colmap/image/undistortion.h>
#include <colmap/sensor/bitmap.h>

namespace nerfpipe::sfm {
namespace {

namespace fs = std::filesystem;

// Seconds that `work` takes.
template <typename Work>
double Time(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

std::vector<fs::path> ImagesIn(const fs::path& folder, size_t count) {
  std::vector<fs::path> images;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    images.push_back(entry.path());
  }
  std::sort(images.begin(), images.end());
  images.resize(std::min(images.size(), count));
  return images;
}

std::vector<Features> CompareFeatures(const std::vector<fs::path>& images) {
  const FeatureOptions options;
  colmap::SiftExtractionOptions theirs;
  theirs.use_gpu = false;
  theirs.num_threads = 1;
  theirs.max_image_size = options.max_image_size;
  theirs.max_num_features = options.max_features;
  const auto extractor = colmap::CreateSiftFeatureExtractor(theirs);
  const FeatureFinder finder(
      options, !IsRichInFeatures(ReadImage(images.front()), options));
  const FeatureFinder doubling(options, true);
  std::vector<Features> all;
  double own = 0, doubled = 0, colmaps = 0;
  size_t own_count = 0, doubled_count = 0, colmaps_count = 0;
  for (const fs::path& path : images) {
    const Image image = ReadImage(path);
    own += Time([&] { all.push_back(finder.Find(image)); });
    own_count += all.back().keypoints.size();
    Features features;
    doubled += Time([&] { features = doubling.Find(image); });
    doubled_count += features.keypoints.size();
    colmap::Bitmap bitmap;
    bitmap.Read(path.string(), /*as_rgb=*/false);
    colmap::FeatureKeypoints keypoints;
    colmap::FeatureDescriptors descriptors;
    colmaps +=
        Time([&] { extractor->Extract(bitmap, &keypoints, &descriptors); });
    colmaps_count += keypoints.size();
  }
  const auto count = static_cast<double>(images.size());
  std::printf(
      "features:     ours %.3f s (%.0f), always doubled %.3f s (%.0f), "
      "COLMAP %.3f s (%.0f)\n",
      own / count,
      own_count / count,
      doubled / count,
      doubled_count / count,
      colmaps / count,
      colmaps_count / count);
  return all;
}

std::shared_ptr<const colmap::FeatureDescriptors> DescriptorsOf(
    const Features& features) {
  auto result = std::make_shared<colmap::FeatureDescriptors>(features.Count(),
                                                             kDescriptorSize);
  std::copy(
      features.descriptors.begin(), features.descriptors.end(), result->data());
  return result;
}

void CompareMatching(const std::vector<Features>& all) {
  colmap::SiftMatchingOptions options;
  options.use_gpu = false;
  options.num_threads = 1;
  const auto flann = colmap::CreateSiftFeatureMatcher(options);
  options.brute_force_cpu_matcher = true;
  const auto brute_force = colmap::CreateSiftFeatureMatcher(options);
  double own = 0, trees = 0, brute = 0;
  size_t own_count = 0, trees_count = 0, brute_count = 0, alike = 0;
  for (size_t i = 0; i + 1 < all.size(); ++i) {
    std::vector<FeatureMatch> matches;
    own += Time([&] {
      matches = MatchDescriptors(all[i].descriptors, all[i + 1].descriptors);
    });
    own_count += matches.size();
    const auto first = DescriptorsOf(all[i]);
    const auto second = DescriptorsOf(all[i + 1]);
    colmap::FeatureMatches theirs;
    trees += Time([&] { flann->Match(first, second, &theirs); });
    trees_count += theirs.size();
    theirs.clear();
    brute += Time([&] { brute_force->Match(first, second, &theirs); });
    brute_count += theirs.size();
    for (const FeatureMatch& match : matches) {
      alike += std::any_of(theirs.begin(), theirs.end(), [&](const auto& m) {
        return m.point2D_idx1 == match.first && m.point2D_idx2 == match.second;
      });
    }
  }
  const auto pairs = static_cast<double>(all.size() - 1);
  std::printf(
      "matching:     ours %.3f s (%.0f), COLMAP exact %.3f s (%.0f, %.0f "
      "of them alike), by trees %.3f s (%.0f)\n",
      own / pairs,
      own_count / pairs,
      brute / pairs,
      brute_count / pairs,
      alike / pairs,
      trees / pairs,
      trees_count / pairs);
}

void CompareUndistortion(const std::vector<fs::path>& images) {
  const Image first = ReadImage(images.front());
  const double focal = 0.9 * std::max(first.width, first.height);
  const ColmapCamera lens = {
      kRadial,
      first.width,
      first.height,
      {focal, first.width / 2.0, first.height / 2.0, -0.08, 0.02}};
  const colmap::Camera camera = ToColmap(lens);
  const std::optional<Pinhole> pinhole = PlanPinhole(lens);
  double own = 0, colmaps = 0;
  for (const fs::path& path : images) {
    const Image image = ReadImage(path);
    Image result;
    own += Time([&] { result = Warp(lens, *pinhole).Apply(image); });
    colmap::Bitmap bitmap, undistorted;
    bitmap.Read(path.string());
    colmap::Camera pinhole_camera;
    colmaps += Time([&] {
      colmap::UndistortImage({}, bitmap, camera, &undistorted, &pinhole_camera);
    });
  }
  const auto count = static_cast<double>(images.size());
  std::printf("undistortion: ours %.3f s (cubic), COLMAP %.3f s (linear)\n",
              own / count,
              colmaps / count);
}

void Run(const fs::path& folder, size_t count) {
  const std::vector<fs::path> images = ImagesIn(folder, count);
  CompareMatching(CompareFeatures(images));
  CompareUndistortion(images);
}

}  // namespace
}  // namespace nerfpipe::sfm

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: own_parts FRAMES [COUNT]\n");
    return 2;
  }
  try {
    nerfpipe::sfm::Run(argv[1], argc > 2 ? std::atoi(argv[2]) : 10);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "own_parts: %s\n", error.what());
    return 1;
  }
  return 0;
}
