#include "stages/colmap/features.h"

#include "pipeline/base/error.h"
#include "stages/colmap/byte_stream.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <colmap/feature/sift.h>
#include <colmap/sensor/bitmap.h>

namespace nerfpipe::sfm {
namespace {

constexpr uint32_t kFeatureMagic = 0x3153464e;  // "NFS1"

// Luma of BT.709, rounded.
colmap::Bitmap GrayBitmap(const Image& image) {
  std::vector<uint8_t> gray(static_cast<size_t>(image.width) * image.height);
  const uint8_t* rgb = image.pixels.data();
  for (size_t i = 0; i < gray.size(); ++i) {
    const int sum =
        13933 * rgb[3 * i] + 46871 * rgb[3 * i + 1] + 4732 * rgb[3 * i + 2];
    gray[i] = static_cast<uint8_t>((sum + 32768) >> 16);
  }
  return colmap::Bitmap::ConvertFromRawBits(
      gray.data(), image.width, image.width, image.height, /*rgb=*/false);
}

// Shrinks `bitmap` when it is larger than `max_size` on its longer side.
void Reduce(int max_size, colmap::Bitmap* bitmap) {
  const int longer = std::max(bitmap->Width(), bitmap->Height());
  if (longer <= max_size) {
    return;
  }
  const double scale = static_cast<double>(max_size) / longer;
  bitmap->Rescale(
      std::max(1, static_cast<int>(std::lround(bitmap->Width() * scale))),
      std::max(1, static_cast<int>(std::lround(bitmap->Height() * scale))));
}

// All features from `first_octave` (-1: of the doubled image) up.
Features RunSift(const colmap::Bitmap& bitmap, int first_octave) {
  colmap::SiftExtractionOptions sift;
  sift.use_gpu = false;
  sift.num_threads = 1;
  sift.first_octave = first_octave;
  // The limit is applied by scale afterwards: COLMAP's own keeps whole levels.
  sift.max_num_features = 1 << 20;
  auto extractor = colmap::CreateSiftFeatureExtractor(sift);
  colmap::FeatureKeypoints keypoints;
  colmap::FeatureDescriptors descriptors;
  NERFPIPE_CHECK(extractor != nullptr &&
                 extractor->Extract(bitmap, &keypoints, &descriptors));
  Features features;
  features.keypoints.reserve(keypoints.size());
  for (const colmap::FeatureKeypoint& k : keypoints) {
    features.keypoints.push_back({k.x, k.y, k.a11, k.a12, k.a21, k.a22});
  }
  features.descriptors.assign(descriptors.data(),
                              descriptors.data() + descriptors.size());
  return features;
}

Features KeepLargest(const Features& all, int max_features) {
  std::vector<int> order(all.keypoints.size());
  std::iota(order.begin(), order.end(), 0);
  const auto area = [&](int i) {
    const Keypoint& k = all.keypoints[i];
    return k.a11 * k.a22 - k.a12 * k.a21;
  };
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return area(a) > area(b);
  });
  order.resize(std::min<size_t>(order.size(), max_features));
  Features kept;
  kept.keypoints.reserve(order.size());
  kept.descriptors.reserve(order.size() * kDescriptorSize);
  for (const int i : order) {
    kept.keypoints.push_back(all.keypoints[i]);
    const uint8_t* descriptor =
        all.descriptors.data() + static_cast<size_t>(i) * kDescriptorSize;
    kept.descriptors.insert(
        kept.descriptors.end(), descriptor, descriptor + kDescriptorSize);
  }
  return kept;
}

}  // namespace

Features ExtractFeatures(const Image& image, const FeatureOptions& options) {
  NERFPIPE_CHECK(image.channels == 3);
  colmap::Bitmap bitmap = GrayBitmap(image);
  Reduce(options.max_image_size, &bitmap);
  Features all = RunSift(bitmap, /*first_octave=*/0);
  if (all.Count() < options.max_features) {
    all = RunSift(bitmap, /*first_octave=*/-1);
  }
  Features kept = KeepLargest(all, options.max_features);
  const float scale_x = static_cast<float>(image.width) / bitmap.Width();
  const float scale_y = static_cast<float>(image.height) / bitmap.Height();
  for (Keypoint& k : kept.keypoints) {
    k.x *= scale_x;
    k.a11 *= scale_x;
    k.a21 *= scale_x;
    k.y *= scale_y;
    k.a12 *= scale_y;
    k.a22 *= scale_y;
  }
  return kept;
}

std::string SerializeFeatures(const Features& features) {
  ByteWriter writer;
  writer.Put(kFeatureMagic);
  writer.PutVector(features.keypoints);
  writer.PutVector(features.descriptors);
  return std::move(writer).Finish();
}

std::optional<Features> ParseFeatures(std::string_view bytes) {
  ByteReader reader(bytes);
  uint32_t magic = 0;
  Features features;
  if (!reader.Get(&magic) || magic != kFeatureMagic ||
      !reader.GetVector(&features.keypoints) ||
      !reader.GetVector(&features.descriptors) || !reader.AtEnd() ||
      features.descriptors.size() !=
          features.keypoints.size() * kDescriptorSize) {
    return std::nullopt;
  }
  return features;
}

}  // namespace nerfpipe::sfm
