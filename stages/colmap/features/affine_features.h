#pragma once

// SIFT features on ellipses that follow the slant of the surface (Mikolajczyk
// and Schmid, Scale and Affine Invariant Interest Point Detectors, IJCV 2004):
// several times as slow as on circles, but found again from farther aside. They
// have no orientation of their own: a picture that is turned shows others.

#include "stages/colmap/features/features.h"

#include <colmap/sensor/bitmap.h>

namespace nerfpipe::sfm {

// Of a gray image, by COLMAP; in no particular order, without colours.
Features FindAffineFeatures(const colmap::Bitmap& image, int max_features);

}  // namespace nerfpipe::sfm
