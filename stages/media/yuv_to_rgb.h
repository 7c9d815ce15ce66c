#pragma once

// The common case of colour conversion (8-bit 4:2:0) done quickly and well:
// chroma is interpolated in both directions.

#include "stages/common/image.h"

#include <cstdint>

namespace nerfpipe {

// Planes with full-resolution luma and chroma of half the width and height
// (rounded up), sited between rows vertically; horizontally to the left, as
// MPEG-2, H.264 and HEVC have it by default, or in full range in the middle, as
// swscale takes such pictures whatever they say.
struct Yuv420 {
  int width = 0;
  int height = 0;
  const uint8_t* planes[3] = {};  // Y, Cb, Cr
  int64_t strides[3] = {};        // bytes from row to row
  // Weights of red and blue in luma: 0.2126 and 0.0722 for BT.709.
  double red = 0;
  double blue = 0;
  bool full_range = false;
};

Image RgbOfYuv420(const Yuv420& yuv);

}  // namespace nerfpipe
