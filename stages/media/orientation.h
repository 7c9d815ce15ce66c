#pragma once

// The eight ways a picture can lie, numbered as in EXIF.

#include "stages/common/image.h"

namespace nerfpipe {

// The upright image: EXIF 2.32, 4.6.4, tag Orientation (1: as it is, 3:
// turned by 180 degrees, 6: to be turned clockwise by 90 degrees, ...).
// `orientation` must be 1 to 8.
Image ApplyOrientation(Image image, int orientation);

// Does displaying an image of this EXIF orientation swap width and height?
inline bool OrientationSwapsSides(int orientation) { return orientation >= 5; }

// The same number for a display matrix of ISO 14496-12 (MP4 and others):
// x' = a x + c y, y' = b x + d y with y down. Angles between are rounded to
// the nearest quarter turn.
int OrientationOfMatrix(double a, double b, double c, double d);

}  // namespace nerfpipe
