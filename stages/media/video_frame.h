#pragma once

// Colour conversion of one decoded picture.

#include "stages/common/image.h"

#include <string>

struct AVFrame;

namespace nerfpipe {

// RGB as stored (not turned), widened by `pixel_aspect` (width of a pixel over
// its height). Matrix and range are the stream's; where it does not say, those
// usual for the size. Throws UserError for a pixel format that cannot be
// converted.
Image RgbOfPicture(const AVFrame& picture, double pixel_aspect);

// Luma as stored, widened likewise and averaged down to at most `longer_side`
// pixels on the longer side.
Image GrayOfPicture(const AVFrame& picture,
                    double pixel_aspect,
                    int longer_side);

}  // namespace nerfpipe
