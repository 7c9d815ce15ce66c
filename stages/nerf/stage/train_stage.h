#pragma once

// The stage `train`: a NeRF into train/METHOD.

#include "stages/nerf/stage/training_stage.h"

#include <memory>
#include <string>
#include <vector>

namespace nerfpipe {

class TrainStage : public TrainingStage {
 public:
  using TrainingStage::TrainingStage;

  std::string Name() const override { return "train"; }
  int Version() const override { return 8; }
  std::string Description() const override;
  // All groups but that of the stage `splat`.
  std::vector<OptionGroup> Options() override;
  void CheckValues() const override;
  bool Matters(const OptionGroup& group) const override;
  // Not where train.method names no NeRF.
  bool Enabled() const override;
  TrainSettings RunSettings() const override { return settings_; }

  TrainSettings& settings() { return settings_; }
  const TrainSettings& settings() const { return settings_; }

 private:
  TrainSettings settings_;
};

std::unique_ptr<TrainStage> MakeTrainStage(GetTrainerLibrary library);

}  // namespace nerfpipe
