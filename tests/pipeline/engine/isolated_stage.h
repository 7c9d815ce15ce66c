#pragma once

// The stage that the parent and the child of the tests of isolation share.

#include "pipeline/engine/isolated.h"

#include <string>
#include <vector>

namespace nerfpipe {

class IsolatedStage : public Stage {
 public:
  std::string Name() const override { return "solve"; }
  int Version() const override { return 1; }
  std::string Description() const override { return "solves"; }
  std::vector<std::string> Inputs() const override { return {kCaptureInput}; }
  std::vector<std::string> Outputs() const override { return {"told.txt"}; }
  std::vector<OptionGroup> Options() override { return {}; }
  bool Isolated() const override { return true; }
  StageResult Run(const StageContext&) override {
    return StageResult::Failed("ran in the parent");
  }
};

}  // namespace nerfpipe
