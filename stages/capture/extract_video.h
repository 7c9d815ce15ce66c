#pragma once

// Frames out of one video or several.

#include "pipeline/engine/stage.h"
#include "stages/capture/extract_stage.h"
#include "stages/capture/frame_list.h"

#include <string>
#include <vector>

namespace nerfpipe {

// Writes the chosen frames into frames/ of context.out (which exists), one
// clip after the other. `names`: of videos in the folder context.capture, or
// none when that is the video. They share the number of frames by their
// motion. Throws UserError when none of them can be read, or none of the
// frames decodes.
FrameList ExtractVideos(const StageContext& context,
                        const ExtractOptions& options,
                        const std::vector<std::string>& names);

}  // namespace nerfpipe
