#pragma once

// Trains a method on a data set and measures it on the held-out views: what
// the stage `train` and the command `nerfpipe train` have in common.

#include "pipeline/engine/stage.h"
#include "stages/nerf/stage/trainer_library.h"

namespace nerfpipe {

// Files of a trained scene, in its folder train/METHOD.
inline constexpr char kCheckpointFile[] = "checkpoint.pt";
inline constexpr char kSceneFile[] = "scene.json";
inline constexpr char kMetricsFile[] = "metrics.jsonl";
inline constexpr char kTestFolder[] = "test";

// Goes on from a checkpoint in `scratch`. Facts: {"training": {METHOD:
// {"steps", "seconds", "factor", "width", "height", "psnr", "ssim",
// "ms_ssim", "corrected_psnr", "corrected_ssim"}}}; scores only with held-out
// views. Seconds are those spent on training steps, over all sittings. Throws
// UserError for bad data and Interrupted after a checkpoint at Ctrl-C.
StageResult Train(const TrainJob& job);

}  // namespace nerfpipe
