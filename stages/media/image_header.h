#pragma once

// The first bytes of an image file, read without decoding: kind, size, depth
// and EXIF.

#include <string>
#include <string_view>

namespace nerfpipe {

// A file that claims more is damaged: the largest sensors have 200 million.
inline constexpr double kMostPixels = 300e6;

struct ImageHeader {
  enum class Format { kJpeg, kPng, kWebp, kTiff, kBmp, kHeif, kUnknown };

  Format format = Format::kUnknown;
  // As stored, before orientation (of TIFF: as decoded); 0 when the part of the
  // file that says so was not among the bytes, and for HEIC.
  int width = 0;
  int height = 0;
  int bits = 0;           // per channel
  int channels = 0;       // 1 gray, 3 RGB (or YCbCr, palette), 4 alpha or CMYK
  int orientation = 1;    // EXIF, 1 to 8; values outside count as 1
  bool animated = false;  // a WebP of several pictures
  // EXIF focal length in parts of the picture's diagonal; 0 when not told.
  double focal = 0;
};

// `bytes` is the beginning of the file, or all of it. Never throws: damaged
// parts are left out.
ImageHeader ParseImageHeader(std::string_view bytes);

}  // namespace nerfpipe
