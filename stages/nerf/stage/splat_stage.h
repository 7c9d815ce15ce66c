#pragma once

// The stage `splat`: gaussians into train/splat.

#include "stages/nerf/stage/train_stage.h"

#include <memory>
#include <string>
#include <vector>

namespace nerfpipe {

class SplatStage : public TrainingStage {
 public:
  // `train` must outlive it: it holds the settings of both.
  SplatStage(GetTrainerLibrary library, TrainStage* train)
      : TrainingStage(library), train_(train) {}

  std::string Name() const override { return "splat"; }
  int Version() const override { return 2; }
  std::string Description() const override;
  std::vector<OptionGroup> Options() override;
  std::vector<OptionGroup> SharedOptions() override;
  bool Enabled() const override;
  TrainSettings RunSettings() const override;

 private:
  TrainStage* train_;
};

std::unique_ptr<SplatStage> MakeSplatStage(GetTrainerLibrary library,
                                           TrainStage* train);

}  // namespace nerfpipe
