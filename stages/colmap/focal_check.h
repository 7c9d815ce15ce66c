#pragma once

// Does the focal length change from image to image: a zoom while filming, or
// photos through several lenses of which EXIF tells nothing?

#include "stages/common/colmap_model.h"

#include <cstdint>
#include <map>

namespace nerfpipe::sfm {

struct OwnFocal {
  double scale = 1;      // of the focal length that its camera has
  double deviation = 0;  // standard deviation of the scale
};

// What each image's focal length would be if it were free together with its
// place, before the points as they stand. Identifiers are the model's.
std::map<uint32_t, OwnFocal> OwnFocals(const ColmapModel& model);

// More than such a share is no accident.
inline constexpr double kManyOtherFocals = 0.1;

// Share of the images whose own focal length is another one, by more than 3 %
// and beyond doubt.
double ShareOfOtherFocals(const ColmapModel& model);

}  // namespace nerfpipe::sfm
