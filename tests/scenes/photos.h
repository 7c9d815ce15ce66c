#pragma once

// Photos as cameras and programs store them, byte by byte: the product's
// writers know only upright JPEG and PNG without any metadata.

#include "stages/common/image.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe {

// `jpeg` with an EXIF segment; a focal length of 0 (mm on film) is not told.
std::string WithExif(const std::string& jpeg, int orientation, int focal);

// A TIFF structure with these two, as EXIF has it and other formats carry.
std::string ExifStructure(int orientation, int focal);

// Eight photos in one folder, of EXIF orientation 1 to 8, every one of another
// thing and with another focal length: shown upright, five lie down and three
// stand, or the other way round. Ordered by number, not as text:
// "IMG_9.jpg", "IMG_10.jpg", ...
struct MixedPhoto {
  std::string name;
  int orientation = 1;
  Image upright;
  double focal = 0;  // in parts of the diagonal
};
std::vector<MixedPhoto> WriteMixedPhotos(const std::filesystem::path& folder,
                                         bool most_lie);

// A PNG of rows as they are stored. `colour`: 0 gray, 2 RGB, 3 palette, 4 gray
// with alpha, 6 RGBA; `exif` goes behind the pixels.
struct PngSpec {
  int width = 0;
  int height = 0;
  int bits = 8;
  int colour = 2;
  std::string rows;     // width * channels * bits / 8 bytes each
  std::string palette;  // RGB
  std::string exif;
};
std::string MakePng(const PngSpec& spec);

// An uncompressed RGB TIFF.
std::string MakeTiff(const Image& stored, int orientation);

// CMYK, inverted and marked as Adobe's programs do, or plain.
std::string MakeCmykJpeg(int width,
                         int height,
                         const uint8_t (&cmyk)[4],
                         bool adobe);

}  // namespace nerfpipe
