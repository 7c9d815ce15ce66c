#pragma once

// The eight ways a picture can lie, written down a second time: by the words of
// EXIF 2.32, 4.6.4, not by the product's table.

#include "stages/common/image.h"

#include <algorithm>

namespace nerfpipe {

// Stored pixel (x, y) is shown at (a x + c y, b x + d y), from the far side
// where that is negative.
struct OrientationAxes {
  int a, b, c, d;
};

// Where the first row and the first column of the stored picture are shown.
inline constexpr OrientationAxes kOrientationAxes[9] = {
    {},
    {1, 0, 0, 1},    // 1: top, left
    {-1, 0, 0, 1},   // 2: top, right
    {-1, 0, 0, -1},  // 3: bottom, right
    {1, 0, 0, -1},   // 4: bottom, left
    {0, 1, 1, 0},    // 5: left, top
    {0, 1, -1, 0},   // 6: right, top
    {0, -1, -1, 0},  // 7: right, bottom
    {0, -1, 1, 0},   // 8: left, bottom
};

// What a camera stores that is to be shown as `upright`.
inline Image AsStored(const Image& upright, int orientation) {
  const OrientationAxes& axes = kOrientationAxes[orientation];
  const bool swap = axes.a == 0;
  Image stored(swap ? upright.height : upright.width,
               swap ? upright.width : upright.height,
               upright.channels);
  for (int y = 0; y < stored.height; ++y) {
    for (int x = 0; x < stored.width; ++x) {
      int u = axes.a * x + axes.c * y;
      int v = axes.b * x + axes.d * y;
      if (axes.a + axes.c < 0) u += upright.width - 1;
      if (axes.b + axes.d < 0) v += upright.height - 1;
      std::copy_n(upright.At(u, v), upright.channels, stored.At(x, y));
    }
  }
  return stored;
}

}  // namespace nerfpipe
