#pragma once

// Images made smaller by area averaging. Standard library only.

#include "stages/common/image.h"

namespace nerfpipe {

// Every pixel of the result is the mean of the rectangle of `image` that it
// covers, rounded to the nearest integer (halves up); for whole factors that is
// the mean of a block. Colours of RGBA images are weighted by alpha, so that
// compositing and averaging may be swapped. Exact: integer arithmetic
// throughout. The new size must be 1 to the old one in each direction.
Image AreaAverage(const Image& image, int width, int height);

// A mask (one channel, 0 or 255) made smaller: a pixel is used only where every
// pixel that AreaAverage takes its mean of is.
Image ReducedMask(const Image& mask, int width, int height);

// The size of a side after division by `factor`: exact where it divides, else
// rounded half up, as ImageMagick does it for LLFF; at least 1.
int ReducedSide(int side, int factor);

// `image` with both sides divided by `factor`.
Image Reduced(const Image& image, int factor);

}  // namespace nerfpipe
