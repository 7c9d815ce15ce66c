#pragma once

// What the program needs of a picture's EXIF.

#include <string_view>

namespace nerfpipe {

struct ExifFacts {
  int width = 0;  // of a TIFF file itself; 0 when not told
  int height = 0;
  int orientation = 1;  // 1 to 8; values outside count as 1
  // Focal length in parts of the picture's diagonal; 0 when not told.
  double focal = 0;
};

// `exif` is a TIFF structure, behind "Exif\0\0" or not: some writers put the
// prefix of JPEG into other containers too. Never throws: damaged parts are
// left out. Source: TIFF 6.0, section 2; EXIF 2.32, 4.6.
ExifFacts ParseExif(std::string_view exif);

}  // namespace nerfpipe
