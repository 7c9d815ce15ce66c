#pragma once

// An 8-bit image in memory. Standard library only.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nerfpipe {

// Rows from the top, pixels from the left, channels interleaved (RGB, RGBA or
// gray). pixels.size() == width * height * channels. The centre of the pixel
// in column x and row y is at (x + 0.5, y + 0.5).
struct Image {
  int width = 0;
  int height = 0;
  int channels = 3;
  std::vector<uint8_t> pixels;

  Image() = default;
  Image(int width_in, int height_in, int channels_in)
      : width(width_in),
        height(height_in),
        channels(channels_in),
        pixels(static_cast<size_t>(width_in) * height_in * channels_in) {}

  uint8_t* At(int x, int y) {
    return pixels.data() + (static_cast<size_t>(y) * width + x) * channels;
  }
  const uint8_t* At(int x, int y) const {
    return pixels.data() + (static_cast<size_t>(y) * width + x) * channels;
  }
};

}  // namespace nerfpipe
