#include "pipeline/cli/stage_table.h"

#include "pipeline/cli/trainer_module.h"
#include "stages/capture/check_stage.h"
#include "stages/capture/extract_stage.h"
#include "stages/colmap/colmap_stage.h"
#include "stages/llff/downsample_stage.h"
#include "stages/llff/poses_stage.h"
#include "stages/nerf/stage/export_stage.h"
#include "stages/nerf/stage/render_stage.h"
#include "stages/nerf/stage/splat_stage.h"
#include "stages/nerf/stage/train_stage.h"

namespace nerfpipe {

std::vector<std::unique_ptr<Stage>> MakeStages() {
  std::vector<std::unique_ptr<Stage>> stages;
  stages.push_back(MakeExtractStage());
  stages.push_back(MakeCheckStage(stages.front().get()));
  stages.push_back(sfm::MakeColmapStage());
  stages.push_back(MakePosesStage());
  stages.push_back(MakeDownsampleStage());
  std::unique_ptr<TrainStage> train = MakeTrainStage(LoadTrainerLibrary);
  std::unique_ptr<SplatStage> splat =
      MakeSplatStage(LoadTrainerLibrary, train.get());
  std::unique_ptr<Stage> exported = MakeExportStage(*splat);
  std::unique_ptr<Stage> render = MakeRenderStage({train.get(), splat.get()});
  stages.push_back(std::move(train));
  stages.push_back(std::move(splat));
  stages.push_back(std::move(exported));
  stages.push_back(std::move(render));
  return stages;
}

}  // namespace nerfpipe
