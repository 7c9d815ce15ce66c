#include "stages/nerf/stage/render_stage.h"

#include "pipeline/base/error.h"

namespace nerfpipe {

std::string RenderStage::Description() const {
  return "render a video of the trained scene";
}

std::vector<std::string> RenderStage::Inputs() const {
  if (settings_.method != "auto") return {"train/" + settings_.method};
  std::vector<std::string> inputs;
  for (const TrainingStage* stage : trained_) {
    if (stage->Enabled()) inputs.push_back(stage->OutputFolder());
  }
  return inputs;
}

std::vector<std::string> RenderStage::Outputs() const {
  return RenderOutputs(settings_);
}

std::vector<OptionGroup> RenderStage::Options() {
  return {RenderOptionGroup(&settings_)};
}

StageResult RenderStage::Run(const StageContext& context) {
  RenderJob job;
  for (const std::string& input : Inputs()) {
    if (std::filesystem::is_directory(context.workspace / input)) {
      job.trained.push_back(context.workspace / input);
    }
  }
  if (job.trained.empty()) {
    throw UserError("there is no trained scene to render",
                    "let nerf.enabled or splat.enabled be yes, and see above "
                    "why training failed");
  }
  job.settings = settings_;
  job.out = context.out;
  job.scratch = context.scratch;
  job.threads = context.threads;
  job.device = context.device;
  job.report = context.report;
  return trained_.front()->trainer().Render(job);
}

std::unique_ptr<RenderStage> MakeRenderStage(
    std::vector<const TrainingStage*> trained) {
  return std::make_unique<RenderStage>(std::move(trained));
}

}  // namespace nerfpipe
