#pragma once

// The stage `export`: the trained gaussians in files that viewers read.

#include "pipeline/engine/stage.h"
#include "stages/nerf/stage/splat_stage.h"

#include <memory>
#include <string>
#include <vector>

namespace nerfpipe {

class ExportStage : public Stage {
 public:
  // `splat` must outlive it.
  explicit ExportStage(const SplatStage& splat) : splat_(splat) {}

  std::string Name() const override { return "export"; }
  int Version() const override { return 1; }
  std::string Description() const override;
  std::vector<std::string> Inputs() const override;
  std::vector<std::string> Outputs() const override;
  std::vector<OptionGroup> Options() override;
  bool Enabled() const override;
  bool Optional() const override { return true; }
  StageResult Run(const StageContext& context) override;

 private:
  const SplatStage& splat_;
  ExportSettings settings_;
};

std::unique_ptr<ExportStage> MakeExportStage(const SplatStage& splat);

}  // namespace nerfpipe
