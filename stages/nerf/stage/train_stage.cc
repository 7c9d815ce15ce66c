#include "stages/nerf/stage/train_stage.h"

#include "pipeline/base/error.h"
#include "stages/nerf/method_facts.h"
#include "stages/nerf/option_rules.h"

#include <algorithm>

namespace nerfpipe {

std::string TrainStage::Description() const {
  return "train a NeRF and test it on held-out views";
}

std::vector<OptionGroup> TrainStage::Options() {
  std::vector<OptionGroup> groups = TrainOptionGroups(&settings_);
  groups.erase(std::remove_if(groups.begin(),
                              groups.end(),
                              [](const OptionGroup& group) {
                                return group.name() == kSplatGroup;
                              }),
               groups.end());
  return groups;
}

void TrainStage::CheckValues() const {
  if (settings_.llffhold == 1) {
    throw UserError("train.llffhold is 1, which leaves no image to train on",
                    "raise it, or set it to 0 to hold none out",
                    ExitCode::kUsage);
  }
  if (settings_.options.train.method == "ngp") {
    nerf::Checked(settings_.options.ngp);
  }
}

bool TrainStage::Matters(const OptionGroup& group) const {
  return GroupMatters(group, settings_.options.train.method);
}

bool TrainStage::Enabled() const {
  return settings_.nerf_enabled &&
         nerf::FactsOf(settings_.options.train.method).is_nerf;
}

std::unique_ptr<TrainStage> MakeTrainStage(GetTrainerLibrary library) {
  return std::make_unique<TrainStage>(library);
}

}  // namespace nerfpipe
