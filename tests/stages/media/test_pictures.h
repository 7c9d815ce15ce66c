#pragma once

// Pictures and figures that the tests of media and capture share.

#include "stages/common/image.h"

#include <cmath>
#include <limits>

namespace nerfpipe {

// A smooth pattern without symmetries, moved by (dx, dy) pixels.
inline Image TestPicture(int width, int height, double dx = 0, double dy = 0) {
  Image image(width, height, 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double u = x + dx;
      const double v = y + dy;
      const double waves[3] = {
          std::sin(u / 7) * std::cos(v / 11) + 0.4 * std::sin(u * v / 900),
          std::sin(u / 5 + v / 13) + 0.4 * std::cos(u / 3),
          std::cos(u / 17 - v / 6) + 0.4 * std::sin(v / 4)};
      for (int c = 0; c < 3; ++c) {
        image.At(x, y)[c] = static_cast<uint8_t>(128 + 70 * waves[c]);
      }
    }
  }
  return image;
}

// Decibels; infinite for equal pictures, 0 when the sizes differ.
inline double Psnr(const Image& a, const Image& b) {
  if (a.width != b.width || a.height != b.height || a.channels != b.channels) {
    return 0;
  }
  double sum = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) {
    const double difference = double{1} * a.pixels[i] - b.pixels[i];
    sum += difference * difference;
  }
  if (sum == 0) return std::numeric_limits<double>::infinity();
  return 10 *
         std::log10(255.0 * 255.0 * static_cast<double>(a.pixels.size()) / sum);
}

}  // namespace nerfpipe
