#pragma once

// HEIC and AVIF pictures in memory, by libheif.

#include "stages/common/image.h"

#include <stdexcept>
#include <string>
#include <string_view>

namespace nerfpipe {

// The bytes cannot be decoded; what() says why.
class DamagedHeif : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The primary picture of the whole file, upright, 8-bit RGB. Throws
// DamagedHeif.
Image DecodeHeif(std::string_view bytes);

// Told without decoding it. Throws DamagedHeif.
struct HeifHeader {
  int width = 0;  // upright
  int height = 0;
  std::string exif;  // a TIFF structure; empty when there is none
};
HeifHeader ReadHeifHeader(std::string_view bytes);

}  // namespace nerfpipe
