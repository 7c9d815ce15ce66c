#pragma once

// What is cut out of pictures that are not plain ones.

#include "stages/capture/frame_layout.h"
#include "stages/common/image.h"

#include <string>
#include <vector>

namespace nerfpipe {

// Of a view that is cut out of a panorama: in parts of the diagonal of its
// square, as an angle of 90 degrees makes it.
inline constexpr double kPanoramaFocal = 0.35355339059327379;
inline constexpr int kViewsOfPanorama = 4;

// " at 90 degrees", for the second of them.
std::string DirectionOf(int view);

enum class Resampling {
  kSmooth,   // for pictures
  kNearest,  // for masks: no values between
};

// The picture itself, the half that is used, or the four pinhole views of a
// panorama, each turned right by 90 degrees from the one before; the first
// looks at the middle of the panorama. Their sides are a quarter of its width.
std::vector<Image> CutViews(const Image& picture,
                            const FrameLayout& layout,
                            Resampling resampling);

// Scaled to this size; averaged where it gets smaller.
Image Resized(const Image& image, int width, int height, Resampling resampling);

}  // namespace nerfpipe
