#pragma once

// Features are found in each picture by itself, to half a pixel or so. Where a
// point of the model is seen from several places, the pictures around it are
// laid over each other, which tells to a tenth of a pixel where it is.

#include "pipeline/base/report.h"
#include "stages/colmap/features/features.h"
#include "stages/common/colmap_model.h"

#include <cstdint>
#include <filesystem>
#include <map>

namespace nerfpipe::sfm {

struct AlignmentCounts {
  int64_t observations = 0;
  int64_t aligned = 0;  // of these, moved to where the pictures agree
};

// Of each point of `model` one observation stays, from the middle of where it
// is seen, and the others are moved to agree with it. Where three agree, those
// that do not are taken off the point; else they stay as they are. `features`
// of each image by its identifier, observations in the same order. Reads the
// pictures in `frames` once, `threads` at a time, and keeps a kilobyte for each
// observation. Throws
// Interrupted, and UserError when a picture cannot be read.
AlignmentCounts AlignObservations(
    const std::filesystem::path& frames,
    const std::map<uint32_t, const Features*>& features,
    int threads,
    Report* report,
    ColmapModel* model);

}  // namespace nerfpipe::sfm
