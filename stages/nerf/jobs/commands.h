#pragma once

// `nerfpipe train`, `eval` and `render` on a folder of results: the work of the
// stages without the pipeline before them.
//
//   WORK/dataset.json      where the data set is, and what was trained on it
//   WORK/train/METHOD/     as the stage `train` writes it
//   WORK/eval/METHOD/      held-out renders of `nerfpipe eval`
//   WORK/renders/PATH.mp4  as the stage `render` writes it
//
// A workspace of `nerfpipe run` works as well for the last two.

#include "pipeline/engine/stage.h"
#include "stages/nerf/stage/trainer_library.h"

#include <filesystem>

namespace nerfpipe {

// `train` and `render` are the stages of MakeTrainStage and MakeRenderStage
// with their options set. All three throw UserError and Interrupted as
// Stage::Run does.

// Goes on with an unfinished run of the same data set and options. When it is
// finished, a run by time gets its time once more, another needs nothing. What
// is there of other data or options is kept in .nerfpipe/saved/. Facts as of
// Train() in training.h.
StageResult TrainDataset(const Stage& train,
                         const std::filesystem::path& dataset,
                         const WorkFolder& work);

// Facts: {"evaluation": {"method", "steps", "psnr", "ssim", "views": [{"name",
// "psnr", "ssim"}]}}. The method is that of `train`, or the one that is there.
StageResult EvaluateCheckpoint(const Stage& train, const WorkFolder& work);

// Facts as of Render() in rendering.h. Replaces an earlier video of the same
// path. The method is chosen as above.
StageResult RenderCheckpoint(const Stage& render, const WorkFolder& work);

}  // namespace nerfpipe
