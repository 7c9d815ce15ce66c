#pragma once

// HEIC and AVIF pictures in memory, by libheif.

#include "stages/common/image.h"

#include <stdexcept>
#include <string_view>

namespace nerfpipe {

// The bytes cannot be decoded; what() says why.
class DamagedHeif : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The primary picture of the whole file, upright, 8-bit RGB. Throws
// DamagedHeif.
Image DecodeHeif(std::string_view bytes);

// Its size, without decoding it. Throws DamagedHeif.
struct HeifSize {
  int width = 0;
  int height = 0;
};
HeifSize SizeOfHeif(std::string_view bytes);

}  // namespace nerfpipe
