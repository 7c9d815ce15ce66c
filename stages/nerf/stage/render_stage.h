#pragma once

// The stage `render`: a trained scene into renders/*.mp4.

#include "pipeline/engine/stage.h"
#include "stages/nerf/stage/settings.h"
#include "stages/nerf/stage/training_stage.h"

#include <memory>
#include <string>
#include <vector>

namespace nerfpipe {

class RenderStage : public Stage {
 public:
  // Renders what these train, which must outlive it.
  explicit RenderStage(std::vector<const TrainingStage*> trained)
      : trained_(std::move(trained)) {}

  std::string Name() const override { return "render"; }
  int Version() const override { return 3; }
  std::string Description() const override;
  std::vector<std::string> Inputs() const override;
  std::vector<std::string> OptionalInputs() const override { return Inputs(); }
  std::vector<std::string> Outputs() const override;
  std::vector<OptionGroup> Options() override;
  StageResult Run(const StageContext& context) override;

  const RenderSettings& settings() const { return settings_; }

 private:
  std::vector<const TrainingStage*> trained_;
  RenderSettings settings_;
};

std::unique_ptr<RenderStage> MakeRenderStage(
    std::vector<const TrainingStage*> trained);

}  // namespace nerfpipe
