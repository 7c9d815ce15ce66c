#pragma once

// SIFT features of one image.

#include "stages/common/image.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerfpipe::sfm {

inline constexpr int kDescriptorSize = 128;

// Position in pixels (corner of the image at (0, 0)) and affine shape, as
// COLMAP's database keeps them, and the pixel there (with alpha, so that files
// hold no stray bytes).
struct Keypoint {
  float x = 0;
  float y = 0;
  float a11 = 0;
  float a12 = 0;
  float a21 = 0;
  float a22 = 0;
  std::array<uint8_t, 4> rgba = {0, 0, 0, 255};
  bool operator==(const Keypoint&) const = default;
};

// Largest scale first. Descriptors are RootSIFT (Arandjelovic and Zisserman,
// CVPR 2012) of length 512, kDescriptorSize bytes for each keypoint.
struct Features {
  std::vector<Keypoint> keypoints;
  std::vector<uint8_t> descriptors;

  int Count() const { return static_cast<int>(keypoints.size()); }
  bool operator==(const Features&) const = default;
};

struct FeatureOptions {
  // Larger images are reduced to this width or height before the search;
  // keypoints are in pixels of the full image all the same.
  int max_image_size = 1600;
  // The largest of scale are kept.
  int max_features = 4096;
  // On ellipses (affine_features.h) in place of circles.
  bool affine = false;
};

// Finds features in images of 3 channels, from any number of threads. Keeps the
// scale space of each thread (18 float images of the doubled size) until it is
// destroyed: getting it from the system anew takes a fifth of the time.
class FeatureFinder {
 public:
  // With `doubled`, images are searched at twice their size as well: more
  // features and four times the work. Without, that is done only for an image
  // with less than half of the features wanted.
  FeatureFinder(const FeatureOptions& options, bool doubled);
  ~FeatureFinder();

  Features Find(const Image& image) const;

 private:
  struct Pool;

  FeatureOptions options_;
  bool doubled_;
  std::unique_ptr<Pool> pool_;
};

// Does the image have the features wanted without being doubled?
bool IsRichInFeatures(const Image& image, const FeatureOptions& options);

// For files of our own. Parsing returns nothing for bytes that are not a
// complete set of features.
std::string SerializeFeatures(const Features& features);
std::optional<Features> ParseFeatures(std::string_view bytes);

}  // namespace nerfpipe::sfm
