#pragma once

// summary.json: what a run came to, for scripts.

#include "pipeline/engine/manifest.h"

#include <string>
#include <vector>

namespace nerfpipe {

struct StageRecord {
  std::string name;
  std::string state;  // "done", "stale", "failed", "not run"
  std::string failure;
  bool present = false;  // is there a manifest?
  Manifest manifest;
};

// {"stages": {NAME: {"state", "seconds", "peak_memory_mb"}}, and the facts of
// all stages merged}. Paths in it are relative to the workspace.
nlohmann::ordered_json MakeSummary(const std::vector<StageRecord>& records);

}  // namespace nerfpipe
