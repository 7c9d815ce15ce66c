#pragma once

// JPEG in memory, by libjpeg: unlike OpenCV's codec it tells whether the file
// was damaged, writes full-resolution chroma and decodes at a reduced size.

#include "stages/common/image.h"

#include <stdexcept>
#include <string>
#include <string_view>

namespace nerfpipe {

// The bytes are not a complete JPEG file; what() says why.
class DamagedJpeg : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The pixels as stored (EXIF orientation not applied); CMYK and YCCK become
// RGB. With `least_side` > 0, the smallest of the sizes 1, 1/2, 1/4 and 1/8
// whose longer side is at least that. Throws DamagedJpeg, also when libjpeg
// could paper over the damage.
Image DecodeJpeg(std::string_view bytes, int least_side = 0);

enum class JpegChroma { kFull, kHalf };  // 4:4:4, 4:2:0

// `image` is RGB or gray.
std::string EncodeJpeg(const Image& image,
                       int quality,
                       JpegChroma chroma = JpegChroma::kFull);

}  // namespace nerfpipe
