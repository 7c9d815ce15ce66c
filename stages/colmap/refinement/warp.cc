#include "stages/colmap/refinement/warp.h"

#include "pipeline/base/error.h"
#include "stages/colmap/matching/colmap_types.h"
#include "stages/common/area_average.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace nerfpipe::sfm {
namespace {

constexpr int kSubpixels = 256;

// Catmull-Rom weights of the four pixels round a position, for each fraction.
std::vector<std::array<float, 4>> CubicWeights() {
  std::vector<std::array<float, 4>> weights(kSubpixels);
  for (int i = 0; i < kSubpixels; ++i) {
    const double t = static_cast<double>(i) / kSubpixels;
    weights[i] = {
        static_cast<float>(((-0.5 * t + 1) * t - 0.5) * t),
        static_cast<float>((1.5 * t - 2.5) * t * t + 1),
        static_cast<float>(((-1.5 * t + 2) * t + 0.5) * t),
        static_cast<float>((0.5 * t - 0.5) * t * t),
    };
  }
  return weights;
}

const std::array<float, 4>& WeightsAt(int32_t position) {
  static const std::vector<std::array<float, 4>> weights = CubicWeights();
  return weights[position & (kSubpixels - 1)];
}

// The four pixels round a position along a side, and what they weigh.
struct Taps {
  const std::array<float, 4>& weights;
  std::array<int, 4> pixels;
};

Taps TapsAt(int32_t position, int side) {
  Taps taps{WeightsAt(position), {}};
  for (int i = 0; i < 4; ++i) {
    taps.pixels[i] = std::clamp((position >> 8) - 1 + i, 0, side - 1);
  }
  return taps;
}

uint8_t Byte(float value) {
  return static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f) + 0.5f);
}

// In 1/256 pixels from the centre of the first; far outside is not told from
// farther outside.
int32_t SubpixelOf(double position, int side) {
  const double in_reach = std::clamp(position, -4.0, side + 4.0);
  return static_cast<int32_t>(std::lround((in_reach - 0.5) * kSubpixels));
}

}  // namespace

Warp::Warp(const ColmapCamera& distorted, const Pinhole& pinhole)
    : image_width_(static_cast<int>(distorted.width)),
      image_height_(static_cast<int>(distorted.height)),
      source_width_(image_width_),
      source_height_(image_height_),
      width_(pinhole.width),
      height_(pinhole.height) {
  const colmap::Camera camera = ToColmap(distorted);
  constexpr double kMuchFiner = 1.25;
  const double finer =
      (camera.FocalLengthX() + camera.FocalLengthY()) / 2 / pinhole.fx;
  if (finer > kMuchFiner) {
    source_width_ =
        std::max(1, static_cast<int>(std::lround(image_width_ / finer)));
    source_height_ =
        std::max(1, static_cast<int>(std::lround(image_height_ / finer)));
  }
  const double scale_x = static_cast<double>(source_width_) / image_width_;
  const double scale_y = static_cast<double>(source_height_) / image_height_;
  samples_.reserve(static_cast<size_t>(width_) * height_);
  for (int y = 0; y < height_; ++y) {
    for (int x = 0; x < width_; ++x) {
      const Eigen::Vector2d source =
          camera.ImgFromCam({(x + 0.5 - pinhole.cx) / pinhole.fx,
                             (y + 0.5 - pinhole.cy) / pinhole.fy});
      samples_.push_back({SubpixelOf(scale_x * source.x(), source_width_),
                          SubpixelOf(scale_y * source.y(), source_height_)});
    }
  }
}

Image Warp::Apply(const Image& image) const {
  NERFPIPE_CHECK(image.width == image_width_ && image.height == image_height_);
  NERFPIPE_CHECK(image.channels == 3 || image.channels == 4);
  if (source_width_ != image_width_ || source_height_ != image_height_) {
    const Image reduced = AreaAverage(image, source_width_, source_height_);
    return reduced.channels == 3 ? ApplyToColour(reduced)
                                 : ApplyToColourWithAlpha(reduced);
  }
  return image.channels == 3 ? ApplyToColour(image)
                             : ApplyToColourWithAlpha(image);
}

Image Warp::ApplyToColour(const Image& source) const {
  Image result(width_, height_, 3);
  uint8_t* out = result.pixels.data();
  for (const Sample& sample : samples_) {
    const auto& [wx, columns] = TapsAt(sample.x, source_width_);
    const auto& [wy, rows] = TapsAt(sample.y, source_height_);
    float sum[3] = {0, 0, 0};
    for (int j = 0; j < 4; ++j) {
      const uint8_t* row = source.At(0, rows[j]);
      for (int c = 0; c < 3; ++c) {
        sum[c] +=
            wy[j] *
            (wx[0] * row[3 * columns[0] + c] + wx[1] * row[3 * columns[1] + c] +
             wx[2] * row[3 * columns[2] + c] + wx[3] * row[3 * columns[3] + c]);
      }
    }
    for (int c = 0; c < 3; ++c) *out++ = Byte(sum[c]);
  }
  return result;
}

Image Warp::ApplyToColourWithAlpha(const Image& source) const {
  Image result(width_, height_, 4);
  uint8_t* out = result.pixels.data();
  for (const Sample& sample : samples_) {
    const auto& [wx, columns] = TapsAt(sample.x, source_width_);
    const auto& [wy, rows] = TapsAt(sample.y, source_height_);
    float alpha = 0;
    float sum[3] = {0, 0, 0};
    for (int j = 0; j < 4; ++j) {
      for (int i = 0; i < 4; ++i) {
        const uint8_t* pixel = source.At(columns[i], rows[j]);
        const float weight = wx[i] * wy[j] * pixel[3];
        alpha += weight;
        for (int c = 0; c < 3; ++c) sum[c] += weight * pixel[c];
      }
    }
    const uint8_t rounded = Byte(alpha);
    for (int c = 0; c < 3; ++c) {
      *out++ = rounded == 0 ? 0 : Byte(sum[c] / alpha);
    }
    *out++ = rounded;
  }
  return result;
}

Image Warp::ApplyToMask(const Image& mask) const {
  NERFPIPE_CHECK(mask.width == image_width_ && mask.height == image_height_ &&
                 mask.channels == 1);
  const Image source = ReducedMask(mask, source_width_, source_height_);
  Image result(width_, height_, 1);
  uint8_t* out = result.pixels.data();
  for (const Sample& sample : samples_) {
    const std::array<int, 4> columns = TapsAt(sample.x, source_width_).pixels;
    const std::array<int, 4> rows = TapsAt(sample.y, source_height_).pixels;
    // On a pixel's centre there is no next one.
    const int right = (sample.x & (kSubpixels - 1)) == 0 ? 1 : 2;
    const int below = (sample.y & (kSubpixels - 1)) == 0 ? 1 : 2;
    *out++ = std::min({*source.At(columns[1], rows[1]),
                       *source.At(columns[right], rows[1]),
                       *source.At(columns[1], rows[below]),
                       *source.At(columns[right], rows[below])});
  }
  return result;
}

}  // namespace nerfpipe::sfm
