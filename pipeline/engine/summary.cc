#include "pipeline/engine/summary.h"

#include <cmath>

namespace nerfpipe {
namespace {

double Round(double value, double digits) {
  return std::round(value * digits) / digits;
}

}  // namespace

nlohmann::ordered_json MakeSummary(const std::vector<StageRecord>& records) {
  nlohmann::ordered_json summary = {
      {"stages", nlohmann::ordered_json::object()}};
  for (const StageRecord& record : records) {
    nlohmann::ordered_json& stage = summary["stages"][record.name];
    stage["state"] = record.state;
    if (record.present) {
      stage["seconds"] = Round(record.manifest.seconds, 100);
      stage["peak_memory_mb"] = Round(record.manifest.peak_memory_mb, 10);
    }
    if (!record.failure.empty()) {
      stage["failure"] = record.failure;
    }
  }
  for (const StageRecord& record : records) {
    if (record.present) {
      summary.merge_patch(record.manifest.facts);
    }
  }
  return summary;
}

}  // namespace nerfpipe
