#pragma once

// Shrinks images by averaging over areas, exactly.

#include "stages/common/image.h"

namespace nerfpipe::nerf {

// Each pixel of the result is the mean over the rectangle of `image` that it
// covers, pixels at the border counted by the part that lies inside. Colours
// of RGBA images are weighted by alpha, so that compositing and averaging may
// be swapped. The target must not be larger than the image.
Image AreaAverage(const Image& image, int width, int height);

// Sides divided by `factor` and rounded to nearest, at least 1 (ImageMagick's
// rule, which the loaders of images_N expect).
Image ShrinkBy(const Image& image, int factor);

}  // namespace nerfpipe::nerf
