#pragma once

// Which model of the lens the pictures carry.

#include "pipeline/base/report.h"
#include "stages/common/colmap_model.h"

#include <string>

#include <colmap/scene/reconstruction.h>

namespace nerfpipe::sfm {

struct AdjustmentOptions;

// What no lens of a camera does, in words: pixels far from square, a field of
// view that none has, a distortion that turns back inside the picture or leaves
// no rectangle to cut out. Empty for a lens that may be.
std::string WhatIsAbsurd(const ColmapCamera& camera);

// The first that is said so of one of the model's cameras.
std::string WhatIsAbsurd(const ColmapModel& model);

// Adjusts `model` with the lenses that it has, and then with more of each lens
// that eight images or more share: a second radial term, decentring, and pixels
// that are not square, one after the other. More is kept where the observations
// pay for it (Schwarz's criterion, with a margin, since observations err
// alike), no lens becomes absurd and, for the pixels, the ratio of their sides
// is held within 1 %. True if more was kept.
bool ChooseLens(const AdjustmentOptions& options,
                Report* report,
                colmap::Reconstruction* model);

// The same with a model as the mapping leaves it.
bool ChooseLensOf(int threads, Report* report, ColmapModel* model);

// The largest focal length over the smallest, the outer twentieths aside, when
// each image of a shared lens has its own, or 1 where the observations do not
// pay for that.
double RangeOfFocals(int threads, Report* report, const ColmapModel& model);

}  // namespace nerfpipe::sfm
