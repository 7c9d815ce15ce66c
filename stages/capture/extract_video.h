#pragma once

// Frames out of a video.

#include "pipeline/engine/stage.h"
#include "stages/capture/extract_stage.h"
#include "stages/capture/frame_list.h"

#include <cstdint>
#include <filesystem>
#include <vector>

namespace nerfpipe {

// Writes the chosen frames into `folder` (which exists). Throws UserError when
// the video cannot be read or none of its frames decodes.
FrameList ExtractVideo(const StageContext& context,
                       const ExtractOptions& options,
                       const std::filesystem::path& folder);

}  // namespace nerfpipe
