#include "stages/colmap/features/affine_features.h"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include <colmap/feature/sift.h>

namespace nerfpipe::sfm {

Features FindAffineFeatures(const colmap::Bitmap& image, int max_features) {
  colmap::SiftExtractionOptions options;
  options.use_gpu = false;
  options.num_threads = 1;
  options.estimate_affine_shape = true;
  options.max_num_features = max_features;
  options.max_image_size = std::max(image.Width(), image.Height());
  const std::unique_ptr<colmap::FeatureExtractor> extractor =
      colmap::CreateSiftFeatureExtractor(options);
  colmap::FeatureKeypoints keypoints;
  colmap::FeatureDescriptors descriptors;
  if (extractor == nullptr ||
      !extractor->Extract(image, &keypoints, &descriptors)) {
    throw std::runtime_error("the search for affine features failed");
  }
  Features features;
  features.keypoints.reserve(keypoints.size());
  for (const colmap::FeatureKeypoint& k : keypoints) {
    features.keypoints.push_back({k.x, k.y, k.a11, k.a12, k.a21, k.a22});
  }
  // Rows of 128 bytes, row after row.
  features.descriptors.assign(descriptors.data(),
                              descriptors.data() + descriptors.size());
  return features;
}

}  // namespace nerfpipe::sfm
