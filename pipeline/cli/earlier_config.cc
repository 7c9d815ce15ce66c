#include "pipeline/cli/earlier_config.h"

#include <algorithm>
#include <utility>

namespace nerfpipe {
namespace {

// Closed: later versions write defaults as comments.
const std::vector<std::pair<std::string, std::string>> kFormerDefaults = {
    {"colmap.camera_model", "OPENCV"},
    {"ngp.batch_samples", "4096"},
    {"ngp.cone", "0.0078125"},
    {"ngp.cone", "0.015625"},
    {"ngp.constant_part", "0.7"},
    {"ngp.final_rate", "0.03"},
    {"ngp.grid_decay", "0.95"},
    {"ngp.grid_threshold", "0.01"},
    {"ngp.log2_table", "18"},
    {"ngp.loss", "auto"},
    {"ngp.stop_transmittance", "1e-04"},
    {"ngp.weight_decay", "1e-06"},
    {"render.frames", "120"},
    {"splat.colour_rate", "0.0025"},
    {"splat.first_count", "45000"},
    {"splat.harmonics_rate", "4e-04"},
    {"splat.mean_rate", "0.00024"},
    {"splat.opacity_rate", "0.025"},
    {"splat.rotation_rate", "0.002"},
    {"splat.scale_rate", "0.005"},
};

}  // namespace

bool ListsDefaultsAsValues(const std::string& yaml) {
  return yaml.starts_with(
      "# The configuration of this workspace as it was resolved. Edit it "
      "and\n");
}

std::vector<std::string> FormerDefaults(
    const std::map<std::string, std::string>& values) {
  std::vector<std::string> options;
  for (const auto& former : kFormerDefaults) {
    const auto value = values.find(former.first);
    if (value != values.end() && value->second == former.second) {
      options.push_back(former.first);
    }
  }
  return options;
}

}  // namespace nerfpipe
