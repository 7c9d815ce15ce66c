#include "stages/colmap/features.h"

#include "pipeline/base/error.h"
#include "stages/colmap/byte_stream.h"
#include "stages/colmap/gaussian_blur.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <numeric>
#include <utility>

#include <colmap/sensor/bitmap.h>
#include <colmap/thirdparty/VLFeat/sift.h>

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

// Gray, and no larger than the options allow.
colmap::Bitmap SearchedBitmap(const Image& image,
                              const FeatureOptions& options) {
  NERFPIPE_CHECK(image.channels == 3);
  colmap::Bitmap bitmap = GrayBitmap(image);
  const int longer = std::max(image.width, image.height);
  if (longer > options.max_image_size) {
    const double scale = static_cast<double>(options.max_image_size) / longer;
    bitmap.Rescale(
        std::max(1, static_cast<int>(std::lround(image.width * scale))),
        std::max(1, static_cast<int>(std::lround(image.height * scale))));
  }
  return bitmap;
}

using SiftFilter = std::unique_ptr<VlSiftFilt, void (*)(VlSiftFilt*)>;

constexpr int kLevels = 3;      // of scale in an octave
constexpr int kLastOctave = 3;  // image reduced to an eighth

// Twice as wide and high; pixel x of the input becomes pixel 2 x.
void Upsample(const float* in, int width, int height, float* out) {
  for (int y = 0; y < 2 * height; ++y) {
    const float* row = in + static_cast<size_t>(y / 2) * width;
    const float* below =
        in + static_cast<size_t>(std::min((y + 1) / 2, height - 1)) * width;
    float* to = out + static_cast<size_t>(y) * 2 * width;
    for (int x = 0; x < width; ++x) {
      const int next = std::min(x + 1, width - 1);
      to[2 * x] = (row[x] + below[x]) / 2;
      to[2 * x + 1] = (row[x] + below[x] + row[next] + below[next]) / 4;
    }
  }
}

// Smooths the octave's first level into the others.
void FillLevels(VlSiftFilt* sift) {
  for (int s = sift->s_min + 1; s <= sift->s_max; ++s) {
    BlurGaussian(vl_sift_get_octave(sift, s - 1),
                 sift->octave_width,
                 sift->octave_height,
                 sift->dsigma0 * std::pow(sift->sigmak, s),
                 vl_sift_get_octave(sift, s));
  }
  sift->nkeys = 0;
}

// VLFeat's scale space with our smoothing: `pixels` are 0 to 1, of the filter's
// size, and the first octave is -1 or 0.
void FillFirstOctave(const std::vector<float>& pixels, VlSiftFilt* sift) {
  NERFPIPE_CHECK(sift->o_min == -1 || sift->o_min == 0);
  const int scale = sift->o_min == -1 ? 2 : 1;
  sift->o_cur = sift->o_min;
  sift->octave_width = scale * sift->width;
  sift->octave_height = scale * sift->height;
  std::vector<float> doubled;
  const float* base = pixels.data();
  if (scale == 2) {
    doubled.resize(4 * pixels.size());
    Upsample(pixels.data(), sift->width, sift->height, doubled.data());
    base = doubled.data();
  }
  const double wanted = sift->sigma0 * std::pow(sift->sigmak, sift->s_min);
  const double present = sift->sigman * scale;
  BlurGaussian(base,
               sift->octave_width,
               sift->octave_height,
               std::sqrt(wanted * wanted - present * present),
               vl_sift_get_octave(sift, sift->s_min));
  FillLevels(sift);
}

// The level with twice the smoothing of the first, at half the size, is the
// next octave's first.
void FillNextOctave(VlSiftFilt* sift) {
  const int width = sift->octave_width;
  const float* from = vl_sift_get_octave(sift, sift->s_min + kLevels);
  const int half_width = width / 2;
  const int half_height = sift->octave_height / 2;
  std::vector<float> half(static_cast<size_t>(half_width) * half_height);
  for (int y = 0; y < half_height; ++y) {
    for (int x = 0; x < half_width; ++x) {
      half[static_cast<size_t>(y) * half_width + x] =
          from[static_cast<size_t>(2 * y) * width + 2 * x];
    }
  }
  ++sift->o_cur;
  sift->octave_width = half_width;
  sift->octave_height = half_height;
  std::copy(half.begin(), half.end(), vl_sift_get_octave(sift, sift->s_min));
  FillLevels(sift);
}

// RootSIFT of length 512, in the order of directions that Lowe's program and
// COLMAP use (VLFeat counts them the other way round).
void AppendDescriptor(const float (&vl)[kDescriptorSize],
                      std::vector<uint8_t>* descriptors) {
  float sum = 0;
  for (const float value : vl) {
    sum += value;
  }
  const float scale = sum > 0 ? 1 / sum : 0;
  for (int i = 0; i < kDescriptorSize; ++i) {
    const int direction = i % 8;
    const float value = vl[i - direction + (8 - direction) % 8];
    const long rounded = std::lround(512 * std::sqrt(scale * value));
    descriptors->push_back(static_cast<uint8_t>(std::min(rounded, 255L)));
  }
}

// The features of the present octave.
void AppendOctave(VlSiftFilt* sift, Features* features) {
  constexpr int kMaxDirections = 2;
  vl_sift_detect(sift);
  const VlSiftKeypoint* keys = vl_sift_get_keypoints(sift);
  for (int i = 0; i < vl_sift_get_nkeypoints(sift); ++i) {
    const VlSiftKeypoint& key = keys[i];
    double angles[4];
    const int directions = std::min(
        vl_sift_calc_keypoint_orientations(sift, angles, &key), kMaxDirections);
    for (int d = 0; d < directions; ++d) {
      float descriptor[kDescriptorSize];
      vl_sift_calc_keypoint_descriptor(sift, descriptor, &key, angles[d]);
      AppendDescriptor(descriptor, &features->descriptors);
      const float c = key.sigma * static_cast<float>(std::cos(angles[d]));
      const float s = key.sigma * static_cast<float>(std::sin(angles[d]));
      // VLFeat's pixel centres are at integers.
      features->keypoints.push_back({key.x + 0.5f, key.y + 0.5f, c, -s, s, c});
    }
  }
}

std::vector<float> FloatPixels(const colmap::Bitmap& bitmap) {
  const std::vector<uint8_t> bytes = bitmap.ConvertToRowMajorArray();
  std::vector<float> pixels(bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) {
    pixels[i] = static_cast<float>(bytes[i]) / 255;
  }
  return pixels;
}

// Thresholds as in COLMAP.
SiftFilter NewFilter(int width, int height, int first_octave) {
  SiftFilter sift(
      vl_sift_new(
          width, height, kLastOctave - first_octave + 1, kLevels, first_octave),
      vl_sift_delete);
  NERFPIPE_CHECK(sift != nullptr);
  vl_sift_set_peak_thresh(sift.get(), 0.02 / kLevels);
  vl_sift_set_edge_thresh(sift.get(), 10);
  return sift;
}

// All features of an image of the filter's size.
Features RunSift(const std::vector<float>& pixels, VlSiftFilt* sift) {
  constexpr int kSmallest = 16;  // pixels; less holds no feature
  Features features;
  sift->grad_o = sift->o_min - 1;  // the gradients are of another image
  FillFirstOctave(pixels, sift);
  AppendOctave(sift, &features);
  while (sift->o_cur < kLastOctave &&
         std::min(sift->octave_width, sift->octave_height) >= 2 * kSmallest) {
    FillNextOctave(sift);
    AppendOctave(sift, &features);
  }
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

struct FeatureFinder::Pool {
  // One for this size, from those that no thread uses, or a new one.
  SiftFilter Take(int width, int height, int first_octave) {
    const std::lock_guard lock(mutex);
    for (size_t i = 0; i < idle.size(); ++i) {
      if (idle[i]->width == width && idle[i]->height == height &&
          idle[i]->o_min == first_octave) {
        SiftFilter sift = std::move(idle[i]);
        idle.erase(idle.begin() + static_cast<std::ptrdiff_t>(i));
        return sift;
      }
    }
    return NewFilter(width, height, first_octave);
  }

  void GiveBack(SiftFilter sift) {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(sift));
  }

  std::mutex mutex;
  std::vector<SiftFilter> idle;
};

FeatureFinder::FeatureFinder(const FeatureOptions& options, bool doubled)
    : options_(options), doubled_(doubled), pool_(std::make_unique<Pool>()) {}

FeatureFinder::~FeatureFinder() = default;

Features FeatureFinder::Find(const Image& image) const {
  const colmap::Bitmap bitmap = SearchedBitmap(image, options_);
  const std::vector<float> pixels = FloatPixels(bitmap);
  const auto search = [&](int first_octave) {
    SiftFilter sift =
        pool_->Take(bitmap.Width(), bitmap.Height(), first_octave);
    Features features = RunSift(pixels, sift.get());
    pool_->GiveBack(std::move(sift));
    return features;
  };
  Features all = search(doubled_ ? -1 : 0);
  if (!doubled_ && 2 * all.Count() < options_.max_features) {
    all = search(-1);
  }
  Features kept = KeepLargest(all, options_.max_features);
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

bool IsRichInFeatures(const Image& image, const FeatureOptions& options) {
  const colmap::Bitmap bitmap = SearchedBitmap(image, options);
  const SiftFilter sift =
      NewFilter(bitmap.Width(), bitmap.Height(), /*first_octave=*/0);
  return RunSift(FloatPixels(bitmap), sift.get()).Count() >=
         options.max_features;
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
