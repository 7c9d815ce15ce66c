#pragma once

// The stage `render`: a checkpoint into renders/*.mp4.

#include "pipeline/engine/stage.h"
#include "stages/nerf/stage/settings.h"
#include "stages/nerf/stage/train_stage.h"

#include <memory>
#include <string>
#include <vector>

namespace nerfpipe {

class RenderStage : public Stage {
 public:
  explicit RenderStage(const TrainStage& train) : train_(train) {}

  std::string Name() const override { return "render"; }
  int Version() const override { return 2; }
  std::string Description() const override;
  std::vector<std::string> Inputs() const override;
  std::vector<std::string> Outputs() const override;
  std::vector<OptionGroup> Options() override;
  StageResult Run(const StageContext& context) override;

  const RenderSettings& settings() const { return settings_; }
  // That `train` is set to.
  const std::string& method() const {
    return train_.settings().options.train.method;
  }

 private:
  const TrainStage& train_;
  RenderSettings settings_;
};

// Renders what `train` trains, which must outlive it: its options say where
// that is.
std::unique_ptr<RenderStage> MakeRenderStage(const TrainStage& train);

}  // namespace nerfpipe
