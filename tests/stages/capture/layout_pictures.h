#pragma once

// Pictures that are laid out in other ways than plainly.

#include "stages/common/image.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace nerfpipe {

// What is seen in a direction (right, down, ahead), of any length; textured
// everywhere.
inline std::array<uint8_t, 3> ColourTowards(double x, double y, double z) {
  const double length = std::sqrt(x * x + y * y + z * z);
  x /= length;
  y /= length;
  z /= length;
  const auto value = [](double waves) {
    return static_cast<uint8_t>(128 + 30 * waves + 0.5);
  };
  return {value(std::sin(9 * x + 1) + std::cos(7 * z - 11 * y)),
          value(std::sin(8 * y + 5 * z) + std::cos(13 * y + 2 * x)),
          value(std::cos(6 * x - 9 * z) + std::sin(12 * y - 3 * x))};
}

// The whole sphere; a camera that has gone on by `step` looks `step` degrees
// further to the right.
inline Image PanoramaPicture(int width, double step) {
  constexpr double kPi = std::numbers::pi;
  Image image(width, width / 2, 3);
  for (int y = 0; y < image.height; ++y) {
    const double latitude = kPi * ((y + 0.5) / image.height - 0.5);
    for (int x = 0; x < width; ++x) {
      const double longitude =
          2 * kPi * ((x + 0.5) / width - 0.5) + step * kPi / 180;
      const std::array<uint8_t, 3> colour =
          ColourTowards(std::sin(longitude) * std::cos(latitude),
                        std::sin(latitude),
                        std::cos(longitude) * std::cos(latitude));
      std::copy(colour.begin(), colour.end(), image.At(x, y));
    }
  }
  return image;
}

// A wall of which no two places look alike, seen by a camera that stands `way`
// pixels to the right.
inline Image WallPicture(double way, int width = 213, int height = 149) {
  constexpr double kSpot = 6.3;  // pixels
  const auto spot = [](int x, int y) {
    uint32_t mixed = static_cast<uint32_t>(x) * 0x9e3779b1u ^
                     static_cast<uint32_t>(y) * 0x85ebca77u;
    mixed = (mixed ^ mixed >> 15) * 0x2c1b3c6du;
    return (mixed >> 16 & 0xff) * 0.8 + 20;
  };
  Image image(width, height, 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double u = (x + way) / kSpot;
      const double v = y / kSpot;
      const int column = static_cast<int>(u);
      const int row = static_cast<int>(v);
      const double right = u - column;
      const double down = v - row;
      for (int c = 0; c < 3; ++c) {
        const int at = column + 5000 * c;
        const double upper =
            (1 - right) * spot(at, row) + right * spot(at + 1, row);
        const double lower =
            (1 - right) * spot(at, row + 1) + right * spot(at + 1, row + 1);
        image.At(x, y)[c] =
            static_cast<uint8_t>((1 - down) * upper + down * lower + 0.5);
      }
    }
  }
  return image;
}

// Of the same size.
inline Image SideBySide(const Image& left, const Image& right) {
  Image both(2 * left.width, left.height, 3);
  for (int y = 0; y < both.height; ++y) {
    std::copy_n(left.At(0, y), 3 * left.width, both.At(0, y));
    std::copy_n(right.At(0, y), 3 * left.width, both.At(left.width, y));
  }
  return both;
}

inline Image OneAboveTheOther(const Image& upper, const Image& lower) {
  Image both(upper.width, 2 * upper.height, 3);
  std::copy(upper.pixels.begin(), upper.pixels.end(), both.pixels.begin());
  std::copy(
      lower.pixels.begin(),
      lower.pixels.end(),
      both.pixels.begin() + static_cast<std::ptrdiff_t>(upper.pixels.size()));
  return both;
}

inline Image Mirrored(const Image& image) {
  Image mirrored = image;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      std::copy_n(image.At(image.width - 1 - x, y), 3, mirrored.At(x, y));
    }
  }
  return mirrored;
}

inline Image Gray(const Image& image) {
  Image gray(image.width, image.height, 1);
  for (size_t i = 0; i < gray.pixels.size(); ++i) {
    const uint8_t* pixel = &image.pixels[3 * i];
    gray.pixels[i] = static_cast<uint8_t>((pixel[0] + pixel[1] + pixel[2]) / 3);
  }
  return gray;
}

}  // namespace nerfpipe
