#pragma once

// The stage `train`: poses_bounds.npy and images_N into train/METHOD.

#include "pipeline/engine/stage.h"
#include "stages/nerf/stage/settings.h"
#include "stages/nerf/stage/trainer_library.h"

#include <memory>
#include <string>
#include <vector>

namespace nerfpipe {

class TrainStage : public Stage {
 public:
  explicit TrainStage(GetTrainerLibrary library) : library_(library) {}

  std::string Name() const override { return "train"; }
  int Version() const override { return 5; }
  std::string Description() const override;
  std::vector<std::string> Inputs() const override;
  std::vector<std::string> Outputs() const override;
  std::vector<OptionGroup> Options() override;
  void CheckValues() const override;
  bool Matters(const OptionGroup& group) const override;
  StageResult Run(const StageContext& context) override;

  const TrainSettings& settings() const { return settings_; }
  const TrainerLibrary& trainer() const { return library_(); }
  // "train/ngp".
  std::string OutputFolder() const;

 private:
  GetTrainerLibrary library_;
  TrainSettings settings_;
};

// Trains by `library`, which is asked for at the first run.
std::unique_ptr<TrainStage> MakeTrainStage(GetTrainerLibrary library);

}  // namespace nerfpipe
