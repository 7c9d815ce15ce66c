#pragma once

// Frames out of a video.

#include "pipeline/base/report.h"
#include "stages/capture/extract_stage.h"
#include "stages/capture/frame_list.h"

#include <cstdint>
#include <filesystem>
#include <vector>

namespace nerfpipe {

// The numbers of the wanted frames among `clip_frames`, ascending: every
// `every`-th from the first, or with `every` = 0 the middles of `target` equal
// parts of the clip (all frames when there are no more).
std::vector<int64_t> ChooseFrames(int64_t clip_frames, int every, int target);

// Writes the chosen frames into `folder` (which exists). Throws UserError when
// the video cannot be read or none of its frames decodes.
FrameList ExtractVideo(const std::filesystem::path& video,
                       const ExtractOptions& options,
                       int threads,
                       const std::filesystem::path& folder,
                       Report& report);

}  // namespace nerfpipe
