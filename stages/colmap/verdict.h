#pragma once

// Did it work? The stage's judgement of matches and models, in words.

#include "pipeline/base/report.h"
#include "pipeline/engine/stage.h"
#include "stages/colmap/features/features.h"
#include "stages/colmap/mapping/mapping.h"
#include "stages/colmap/matching/two_view.h"
#include "stages/common/capture_file.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace nerfpipe::sfm {

inline constexpr size_t kMinImages = 8;

StageResult TooFewFrames(size_t kept);
StageResult ImplausibleLens(const std::string& camera_model);

// A failure when no scene can come of these matches: nothing fits together, the
// camera stood still, or it turned on the spot.
std::optional<StageResult> JudgeMatches(const std::vector<MatchedPair>& pairs,
                                        const std::vector<Features>& features,
                                        int width,
                                        int height);

// Failed when less than half of the images or fewer than kMinImages are in the
// chosen model; else the stage's result with its figures. Tells `report` which
// images are missing, and why each of them is. `pairs` number the images called
// `names`: the kept frames of the capture, perhaps with others between them.
StageResult JudgeMapping(const MappingResult& mapping,
                         const std::vector<std::string>& names,
                         const std::vector<MatchedPair>& pairs,
                         const CaptureFile& capture,
                         Report* report);

}  // namespace nerfpipe::sfm
