#pragma once

// Must a stage run again? One pure function that also says why.

#include "pipeline/engine/manifest.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace nerfpipe {

// Everything the decision depends on.
struct Situation {
  ManifestState record = ManifestState::kAbsent;
  Manifest manifest;  // when record is kPresent
  int stage_version = 0;
  std::map<std::string, std::string> options;  // now
  // Digests now; nothing when the path does not exist.
  std::map<std::string, std::optional<std::string>> inputs;
  std::map<std::string, std::optional<std::string>> outputs;
  // Work of an earlier run that did not end is waiting to be gone on with.
  bool unfinished = false;
  // What that run ended with, if it failed.
  std::string failure;
};

// The reasons to run, most telling first; empty when the stage is up to date.
std::vector<std::string> ReasonsToRun(const Situation& situation);

}  // namespace nerfpipe
