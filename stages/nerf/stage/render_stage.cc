#include "stages/nerf/stage/render_stage.h"

namespace nerfpipe {

std::string RenderStage::Description() const {
  return "render a video of the trained scene";
}

std::vector<std::string> RenderStage::Inputs() const {
  return train_.Outputs();
}

std::vector<std::string> RenderStage::Outputs() const {
  return RenderOutputs(settings_);
}

std::vector<OptionGroup> RenderStage::Options() {
  return {RenderOptionGroup(&settings_)};
}

StageResult RenderStage::Run(const StageContext& context) {
  RenderJob job;
  job.trained = context.workspace / train_.OutputFolder();
  job.settings = settings_;
  job.out = context.out;
  job.scratch = context.scratch;
  job.threads = context.threads;
  job.device = context.device;
  job.report = context.report;
  return train_.trainer().Render(job);
}

std::unique_ptr<RenderStage> MakeRenderStage(const TrainStage& train) {
  return std::make_unique<RenderStage>(train);
}

}  // namespace nerfpipe
