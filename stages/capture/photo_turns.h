#pragma once

// How photos lie, and how they are brought to lie alike.

#include "stages/media/image_file.h"
#include "stages/media/orientation.h"

#include <vector>

namespace nerfpipe {

// A photo's size as stored, and the EXIF orientation that it is shown by.
struct PhotoShape {
  int width = 0, height = 0;
  int orientation = 1;

  // As shown.
  ImageSize Upright() const {
    return OrientationSwapsSides(orientation) ? ImageSize{height, width}
                                              : ImageSize{width, height};
  }
  bool IsPortrait() const { return Upright().height > Upright().width; }
};

// All images are to share one camera, whose picture lies as the sensor does. So
// where some photos were taken with the camera held the other way, the fewer
// are turned back: for each photo the EXIF orientation to apply once it is
// upright, 1 for nothing. Only among photos of the same two sides: others have
// another lens or were cut.
std::vector<int> TurnsToOneShape(const std::vector<PhotoShape>& shapes);

}  // namespace nerfpipe
