#pragma once

// What of a picture features are looked for in: the part that its mask leaves,
// with enough contrast.

#include "stages/colmap/features/features.h"
#include "stages/common/image.h"

namespace nerfpipe::sfm {

struct SearchedPicture {
  Image image;  // RGB or RGBA
  // One channel, 255 where the picture may be used; empty: everywhere.
  Image mask;
};

// For FeatureFinder, 3 channels: the image itself, or, when it is dark or flat
// (98 % and 2 % of its luma are less than 60 of 255 apart, inside the mask),
// its luma with these two at black and white, so that the thresholds of the
// search mean the same as by day. Less than 8 levels are noise, and are not
// drawn further apart. What the mask leaves out is filled with one gray, the
// mean of the rest.
Image WithContrast(const SearchedPicture& picture);

// Those features of the picture found in WithContrast() that the mask allows,
// with the colours of the picture itself. The edge of a mask makes corners of
// its own, which move with the view: left out is what is nearer to it than
// twice the feature's scale.
Features InsideMask(const Features& found, const SearchedPicture& picture);

}  // namespace nerfpipe::sfm
