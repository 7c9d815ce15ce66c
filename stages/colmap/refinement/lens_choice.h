#pragma once

// Which model of the lens the pictures carry.

#include "pipeline/base/report.h"
#include "stages/common/colmap_model.h"

#include <cstdint>
#include <string>
#include <vector>

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

// How alike the focal lengths of the images are when each has its own.
struct FocalLengths {
  // The largest over the smallest, the outer twentieths aside; 1 where one for
  // each lens is enough.
  double range = 1;
  // Images, by their identifiers, whose focal length is not that of the lens
  // they share: all where the observations pay for one each, else those for
  // which their own observations pay.
  std::vector<uint32_t> apart;
};

FocalLengths SurveyFocalLengths(int threads,
                                Report* report,
                                const ColmapModel& model);

}  // namespace nerfpipe::sfm
