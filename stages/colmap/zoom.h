#pragma once

// A focal length that changes while filming, or photos through several lenses
// of which EXIF tells nothing.

#include "stages/colmap/solution.h"

namespace nerfpipe::sfm {

// Adjusts the model with a focal length for each image. Where that pays and
// they are not one, solves again with a camera for each image, or for each of
// the few that are unlike the others, unless a model of the lens was asked for,
// and keeps that where it registers nearly as many; else
// MappingResult::focal_range tells. A zoom that is not noticed is taken for a
// walk towards the subject, with hardly larger errors.
void FreeFocals(const SolveJob& job, Solution* solution);

}  // namespace nerfpipe::sfm
