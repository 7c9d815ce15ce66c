#include "stages/nerf/stage/splat_stage.h"

namespace nerfpipe {

std::string SplatStage::Description() const {
  return "train gaussians and test them on held-out views";
}

std::vector<OptionGroup> SplatStage::Options() {
  std::vector<OptionGroup> groups;
  for (OptionGroup& group : TrainOptionGroups(&train_->settings())) {
    if (group.name() == kSplatGroup) groups.push_back(std::move(group));
  }
  return groups;
}

std::vector<OptionGroup> SplatStage::SharedOptions() {
  return {SharedTrainOptions(&train_->settings())};
}

bool SplatStage::Enabled() const { return train_->settings().splat.enabled; }

TrainSettings SplatStage::RunSettings() const {
  return SplatStageSettings(train_->settings());
}

std::unique_ptr<SplatStage> MakeSplatStage(GetTrainerLibrary library,
                                           TrainStage* train) {
  return std::make_unique<SplatStage>(library, train);
}

}  // namespace nerfpipe
