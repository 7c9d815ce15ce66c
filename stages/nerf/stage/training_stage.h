#pragma once

// What the stages that train have in common: poses_bounds.npy and images_N
// into train/METHOD.

#include "pipeline/engine/stage.h"
#include "stages/nerf/stage/settings.h"
#include "stages/nerf/stage/trainer_library.h"

#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe {

class TrainingStage : public Stage {
 public:
  // Trains by `library`, which is asked for at the first run.
  explicit TrainingStage(GetTrainerLibrary library) : library_(library) {}

  std::vector<std::string> Inputs() const override;
  std::vector<std::string> Outputs() const override { return {OutputFolder()}; }
  // A scene is worth having without the other one.
  bool Optional() const override { return true; }
  // Finds the factor where it is open.
  void LookAt(const std::filesystem::path& workspace) override;
  StageResult Run(const StageContext& context) override;

  // Of its run; nothing in them is left to other stages.
  virtual TrainSettings RunSettings() const = 0;
  const TrainerLibrary& trainer() const { return library_(); }
  // Of its run from the beginning on two cores, about.
  double BudgetSeconds() const;
  // "train/ngp".
  std::string OutputFolder() const;

 private:
  GetTrainerLibrary library_;
  // By what the workspace last looked at divides its images; 0: not known.
  int found_factor_ = 0;
};

}  // namespace nerfpipe
