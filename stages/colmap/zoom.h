#pragma once

// A focal length that changes while filming, or photos through several lenses
// of which EXIF tells nothing.

#include "stages/colmap/solution.h"

namespace nerfpipe::sfm {

// Where many images would fit better through a lens of another focal length
// (focal_check.h), solves again with a camera for each image, and keeps that
// where it places as many and few of them would still be otherwise. True if so.
bool FreeFocals(const SolveJob& job, Solution* solution);

}  // namespace nerfpipe::sfm
