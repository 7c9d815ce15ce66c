#include "stages/colmap/features/searched_picture.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace nerfpipe::sfm {
namespace {

constexpr int kEnoughContrast = 60;  // levels of 255
constexpr int kLeastContrast = 8;

// BT.709, in 1/65536 levels.
int64_t LumaOf(const uint8_t* rgb) {
  return 13933 * rgb[0] + 46871 * rgb[1] + 4732 * rgb[2];
}

bool IsUsed(const Image& mask, size_t pixel) {
  return mask.pixels.empty() || mask.pixels[pixel] != 0;
}

// In 1/65536 levels, low <= high.
struct LumaRange {
  int64_t low = 0;
  int64_t high = 0;
};

// Where 2 % and 98 % of the pixels in use are darker; `used` counts them.
LumaRange RangeOf(const SearchedPicture& picture, int64_t* used) {
  const Image& image = picture.image;
  std::array<int64_t, 256> counts = {};
  *used = 0;
  for (size_t i = 0; i < image.pixels.size() / image.channels; ++i) {
    if (!IsUsed(picture.mask, i)) continue;
    const int64_t luma = LumaOf(image.pixels.data() + i * image.channels);
    ++counts[(luma + 32768) >> 16];
    ++*used;
  }
  const auto level_at = [&](double share) {
    auto left = static_cast<int64_t>(share * static_cast<double>(*used - 1));
    int64_t level = 0;
    while (level < 255 && left >= counts[level]) left -= counts[level++];
    return level << 16;
  };
  return {level_at(0.02), level_at(0.98)};
}

void StretchLuma(const LumaRange& range, Image* image) {
  const int64_t width = std::max(range.high - range.low,
                                 static_cast<int64_t>(kLeastContrast) << 16);
  for (size_t i = 0; i < image->pixels.size(); i += 3) {
    uint8_t* pixel = image->pixels.data() + i;
    const int64_t above =
        std::clamp<int64_t>(LumaOf(pixel) - range.low, 0, width);
    std::fill_n(
        pixel, 3, static_cast<uint8_t>((255 * above + width / 2) / width));
  }
}

void FillUnused(const Image& mask, int64_t used, Image* image) {
  int64_t sum = 0;
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    if (mask.pixels[i] != 0) sum += LumaOf(image->pixels.data() + 3 * i) >> 16;
  }
  const auto mean = static_cast<uint8_t>(sum / used);
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    if (mask.pixels[i] == 0) std::fill_n(&image->pixels[3 * i], 3, mean);
  }
}

Image Rgb(const Image& image) {
  if (image.channels == 3) return image;
  Image rgb(image.width, image.height, 3);
  for (size_t i = 0; i < rgb.pixels.size() / 3; ++i) {
    std::copy_n(&image.pixels[i * image.channels], 3, &rgb.pixels[3 * i]);
  }
  return rgb;
}

// How near the edge of a mask may come. In renderings of a thing on nothing
// (`lego_400`), 70 to 78 % of the matches fit the true geometry up to twice the
// scale from the edge, 82 % farther inside.
float ReachOf(const Keypoint& key) {
  constexpr float kScales = 2;
  return kScales * std::sqrt(std::abs(key.a11 * key.a22 - key.a12 * key.a21));
}

// Is every pixel whose centre lies within reach in use, and that at the place
// itself?
bool IsInside(const Keypoint& key, const Image& mask) {
  const auto pixel_at = [](float position, int side) {
    return std::clamp(static_cast<int>(position), 0, side - 1);
  };
  if (*mask.At(pixel_at(key.x, mask.width), pixel_at(key.y, mask.height)) ==
      0) {
    return false;
  }
  const float radius = ReachOf(key);
  const int bottom = pixel_at(key.y + radius, mask.height);
  const int right = pixel_at(key.x + radius, mask.width);
  for (int y = pixel_at(key.y - radius, mask.height); y <= bottom; ++y) {
    for (int x = pixel_at(key.x - radius, mask.width); x <= right; ++x) {
      const float dx = static_cast<float>(x) + 0.5f - key.x;
      const float dy = static_cast<float>(y) + 0.5f - key.y;
      if (dx * dx + dy * dy <= radius * radius && *mask.At(x, y) == 0) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace

Image WithContrast(const SearchedPicture& picture) {
  int64_t used = 0;
  const LumaRange range = RangeOf(picture, &used);
  Image image = Rgb(picture.image);
  if (range.high - range.low < int64_t{kEnoughContrast} << 16) {
    StretchLuma(range, &image);
  }
  if (used > 0) FillUnused(picture.mask, used, &image);
  return image;
}

Features InsideMask(const Features& found, const SearchedPicture& picture) {
  const auto& [image, mask] = picture;
  Features kept;
  for (int i = 0; i < found.Count(); ++i) {
    Keypoint key = found.keypoints[i];
    if (!mask.pixels.empty() && !IsInside(key, mask)) continue;
    const int x = std::clamp(static_cast<int>(key.x), 0, image.width - 1);
    const int y = std::clamp(static_cast<int>(key.y), 0, image.height - 1);
    std::copy_n(image.At(x, y), 3, key.rgba.begin());
    kept.keypoints.push_back(key);
    const uint8_t* descriptor =
        &found.descriptors[static_cast<size_t>(i) * kDescriptorSize];
    kept.descriptors.insert(
        kept.descriptors.end(), descriptor, descriptor + kDescriptorSize);
  }
  return kept;
}

}  // namespace nerfpipe::sfm
