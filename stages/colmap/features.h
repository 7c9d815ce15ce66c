#pragma once

// SIFT features of one image.

#include "stages/common/image.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerfpipe::sfm {

inline constexpr int kDescriptorSize = 128;

// Position in pixels (corner of the image at (0, 0)) and affine shape, as
// COLMAP's database keeps them.
struct Keypoint {
  float x = 0;
  float y = 0;
  float a11 = 0;
  float a12 = 0;
  float a21 = 0;
  float a22 = 0;
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
};

// `image` has 3 channels. The doubled image, where most of the time goes, is
// searched only when the plain one has too few features.
Features ExtractFeatures(const Image& image, const FeatureOptions& options);

// For files of our own. Parsing returns nothing for bytes that are not a
// complete set of features.
std::string SerializeFeatures(const Features& features);
std::optional<Features> ParseFeatures(std::string_view bytes);

}  // namespace nerfpipe::sfm
