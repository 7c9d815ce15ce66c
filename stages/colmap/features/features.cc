#include "stages/colmap/features/features.h"

#include "pipeline/base/error.h"
#include "stages/colmap/features/affine_features.h"
#include "stages/colmap/features/gaussian_blur.h"
#include "stages/colmap/features/sift_kernels.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <utility>

#include <colmap/sensor/bitmap.h>
#include <colmap/thirdparty/VLFeat/sift.h>

namespace nerfpipe::sfm {
namespace {

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

// A filter and the octaves above its first, so that all can be searched from
// the coarsest down. Freed as a whole: getting it from the system anew takes a
// fifth of the time.
struct ScaleSpace {
  SiftFilter sift;
  std::vector<std::vector<float>> coarser;  // octaves, after the filter's own
};

// The octave that the filter works on, as its fields have it.
struct Octave {
  float* levels = nullptr;
  int number = 0;
  int width = 0;
  int height = 0;

  static Octave Of(const VlSiftFilt& sift) {
    return {sift.octave, sift.o_cur, sift.octave_width, sift.octave_height};
  }
  void Select(VlSiftFilt* sift) const {
    sift->octave = levels;
    sift->o_cur = number;
    sift->octave_width = width;
    sift->octave_height = height;
  }
};

// The level with twice the smoothing of the first, at half the size, is the
// next octave's first.
void FillNextOctave(std::vector<float>* storage, VlSiftFilt* sift) {
  const int width = sift->octave_width;
  const float* from = vl_sift_get_octave(sift, sift->s_min + kLevels);
  const int half_width = width / 2;
  const int half_height = sift->octave_height / 2;
  const int levels = sift->s_max - sift->s_min + 1;
  storage->resize(static_cast<size_t>(levels) * half_width * half_height);
  for (int y = 0; y < half_height; ++y) {
    for (int x = 0; x < half_width; ++x) {
      (*storage)[static_cast<size_t>(y) * half_width + x] =
          from[static_cast<size_t>(2 * y) * width + 2 * x];
    }
  }
  Octave{storage->data(), sift->o_cur + 1, half_width, half_height}.Select(
      sift);
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

float* GradientOf(const VlSiftFilt& sift, int level) {
  return sift.grad + static_cast<size_t>(2) * sift.octave_width *
                         sift.octave_height * (level - sift.s_min - 1);
}

// Fills the gradients before VLFeat, which is slower, would.
void FillGradients(VlSiftFilt* sift) {
  for (int level = sift->s_min + 1; level <= sift->s_max - 2; ++level) {
    FillGradient(vl_sift_get_octave(sift, level),
                 sift->octave_width,
                 sift->octave_height,
                 GradientOf(*sift, level));
  }
  sift->grad_o = sift->o_cur;
}

// The features of one key point: one for each of its main directions.
void AppendKey(const VlSiftKeypoint& key,
               VlSiftFilt* sift,
               Features* features) {
  constexpr int kMaxDirections = 2;
  double angles[4];
  const int directions = std::min(
      vl_sift_calc_keypoint_orientations(sift, angles, &key), kMaxDirections);
  const float scale = std::ldexp(1.0f, sift->o_cur);
  const float* gradient = GradientOf(*sift, key.is);
  for (int d = 0; d < directions; ++d) {
    float descriptor[kDescriptorSize];
    ComputeDescriptor(gradient,
                      sift->octave_width,
                      sift->octave_height,
                      {key.x / scale,
                       key.y / scale,
                       key.sigma / scale,
                       static_cast<float>(angles[d])},
                      descriptor);
    AppendDescriptor(descriptor, &features->descriptors);
    const float c = key.sigma * static_cast<float>(std::cos(angles[d]));
    const float s = key.sigma * static_cast<float>(std::sin(angles[d]));
    // VLFeat's pixel centres are at integers.
    features->keypoints.push_back({key.x + 0.5f, key.y + 0.5f, c, -s, s, c});
  }
}

float AreaOf(const Keypoint& key) {
  return key.a11 * key.a22 - key.a12 * key.a21;
}

// The features of the present octave that can still be among the `most` largest
// of all.
void AppendOctave(int most, VlSiftFilt* sift, Features* features) {
  vl_sift_detect(sift);
  const VlSiftKeypoint* keys = vl_sift_get_keypoints(sift);
  std::vector<int> order(vl_sift_get_nkeypoints(sift));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return keys[a].sigma > keys[b].sigma;
  });
  std::vector<float> areas;
  for (const Keypoint& key : features->keypoints) areas.push_back(AreaOf(key));
  std::sort(areas.begin(), areas.end(), std::greater<>());
  const int from_coarser = features->Count();
  for (const int i : order) {
    // Some room for rounding.
    constexpr float kClearly = 1.0001f;
    const float clearly_larger = kClearly * keys[i].sigma * keys[i].sigma;
    const auto larger =
        std::lower_bound(
            areas.begin(), areas.end(), clearly_larger, std::greater<>()) -
        areas.begin();
    int of_this_octave = features->Count();
    while (of_this_octave > from_coarser &&
           AreaOf(features->keypoints[of_this_octave - 1]) <= clearly_larger) {
      --of_this_octave;
    }
    if (larger + of_this_octave - from_coarser >= most) break;
    if (sift->grad_o != sift->o_cur) FillGradients(sift);
    AppendKey(keys[i], sift, features);
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

// The `most` largest features of an image of the filter's size, and some more.
// Descriptors take most of the time, so the coarse octaves come first.
Features RunSift(const std::vector<float>& pixels,
                 int most,
                 ScaleSpace* space) {
  constexpr int kSmallest = 16;  // pixels; less holds no feature
  VlSiftFilt* const sift = space->sift.get();
  FillFirstOctave(pixels, sift);
  std::vector<Octave> octaves = {Octave::Of(*sift)};
  space->coarser.resize(kLastOctave - sift->o_min);
  const auto own = [&](void*) { octaves[0].Select(sift); };
  const std::unique_ptr<VlSiftFilt, decltype(own)> restore(sift, own);
  while (sift->o_cur < kLastOctave &&
         std::min(sift->octave_width, sift->octave_height) >= 2 * kSmallest) {
    FillNextOctave(&space->coarser[octaves.size() - 1], sift);
    octaves.push_back(Octave::Of(*sift));
  }
  Features features;
  for (auto octave = octaves.rbegin(); octave != octaves.rend(); ++octave) {
    octave->Select(sift);
    sift->grad_o = sift->o_min - 1;  // the gradients are of another octave
    AppendOctave(most, sift, &features);
  }
  return features;
}

Features KeepLargest(const Features& all, int max_features) {
  std::vector<int> order(all.keypoints.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return AreaOf(all.keypoints[a]) > AreaOf(all.keypoints[b]);
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
  // One for this size, from those that no thread uses, or a new one. Those of
  // other sizes go: of photos that were cropped by hand, each has its own.
  ScaleSpace Take(int width, int height, int first_octave) {
    const std::lock_guard lock(mutex);
    std::erase_if(idle, [&](const ScaleSpace& space) {
      return space.sift->width != width || space.sift->height != height;
    });
    for (size_t i = 0; i < idle.size(); ++i) {
      if (idle[i].sift->o_min == first_octave) {
        ScaleSpace space = std::move(idle[i]);
        idle.erase(idle.begin() + static_cast<std::ptrdiff_t>(i));
        return space;
      }
    }
    return {NewFilter(width, height, first_octave), {}};
  }

  void GiveBack(ScaleSpace space) {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(space));
  }

  std::mutex mutex;
  std::vector<ScaleSpace> idle;
};

FeatureFinder::FeatureFinder(const FeatureOptions& options, bool doubled)
    : options_(options), doubled_(doubled), pool_(std::make_unique<Pool>()) {}

FeatureFinder::~FeatureFinder() = default;

Features FeatureFinder::Find(const Image& image) const {
  const colmap::Bitmap bitmap = SearchedBitmap(image, options_);
  const auto search = [&](int first_octave) {
    if (options_.affine) {
      return FindAffineFeatures(bitmap, options_.max_features);
    }
    const std::vector<float> pixels = FloatPixels(bitmap);
    ScaleSpace space =
        pool_->Take(bitmap.Width(), bitmap.Height(), first_octave);
    Features features = RunSift(pixels, options_.max_features, &space);
    pool_->GiveBack(std::move(space));
    return features;
  };
  Features all = search(doubled_ ? -1 : 0);
  if (!doubled_ && !options_.affine &&
      2 * all.Count() < options_.max_features) {
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
    const uint8_t* pixel =
        image.At(std::clamp(static_cast<int>(k.x), 0, image.width - 1),
                 std::clamp(static_cast<int>(k.y), 0, image.height - 1));
    std::copy_n(pixel, 3, k.rgba.begin());
  }
  return kept;
}

bool IsRichInFeatures(const Image& image, const FeatureOptions& options) {
  const colmap::Bitmap bitmap = SearchedBitmap(image, options);
  ScaleSpace space = {
      NewFilter(bitmap.Width(), bitmap.Height(), /*first_octave=*/0), {}};
  return RunSift(FloatPixels(bitmap), options.max_features, &space).Count() >=
         options.max_features;
}

}  // namespace nerfpipe::sfm
