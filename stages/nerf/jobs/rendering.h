#pragma once

// Renders a trained scene along a camera path into videos of colour and depth:
// what the stage `render` and the command `nerfpipe render` have in common.

#include "pipeline/engine/stage.h"
#include "stages/nerf/stage/trainer_library.h"

namespace nerfpipe {

// Goes on after the frames that are in `scratch`. Facts: {"render": {"method",
// "path", "frames", "width", "height"}, "results": {"video", "depth_video"}},
// paths relative to `out`. Throws UserError for a missing or damaged checkpoint
// and Interrupted between frames.
StageResult Render(const RenderJob& job);

}  // namespace nerfpipe
