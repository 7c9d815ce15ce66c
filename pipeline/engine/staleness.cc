#include "pipeline/engine/staleness.h"

namespace nerfpipe {
namespace {

std::string InputName(const std::string& input) {
  return input == "@capture" ? "the capture" : input;
}

void CompareOptions(const Situation& now, std::vector<std::string>* reasons) {
  const std::map<std::string, std::string>& then = now.manifest.options;
  for (const auto& [name, value] : now.options) {
    const auto old = then.find(name);
    if (old == then.end()) {
      reasons->push_back("option " + name + " is new (" + value + ")");
    } else if (old->second != value) {
      reasons->push_back("option " + name + " changed from " + old->second +
                         " to " + value);
    }
  }
  for (const auto& [name, value] : then) {
    if (now.options.count(name) == 0) {
      reasons->push_back("option " + name + " (" + value +
                         ") no longer counts");
    }
  }
}

void CompareInputs(const Situation& now, std::vector<std::string>* reasons) {
  for (const auto& [name, digest] : now.inputs) {
    const auto old = now.manifest.inputs.find(name);
    if (!digest) {
      reasons->push_back(InputName(name) + " is missing");
    } else if (old == now.manifest.inputs.end()) {
      reasons->push_back(InputName(name) + " is a new input");
    } else if (old->second != *digest) {
      reasons->push_back(InputName(name) + " changed");
    }
  }
  for (const auto& [name, digest] : now.manifest.inputs) {
    if (now.inputs.count(name) == 0) {
      reasons->push_back(InputName(name) + " is no longer an input");
    }
  }
}

void CompareOutputs(const Situation& now, std::vector<std::string>* reasons) {
  for (const auto& [name, digest] : now.outputs) {
    const auto old = now.manifest.outputs.find(name);
    if (old == now.manifest.outputs.end()) {
      reasons->push_back(name + " was not written yet");
    } else if (!digest) {
      reasons->push_back("output " + name + " is missing");
    } else if (old->second.digest != *digest) {
      reasons->push_back("output " + name + " was altered");
    }
  }
}

}  // namespace

std::vector<std::string> ReasonsToRun(const Situation& now) {
  std::vector<std::string> reasons;
  if (now.record == ManifestState::kAbsent) {
    if (!now.failure.empty()) {
      reasons.push_back("failed: " + now.failure);
    } else {
      reasons.push_back(now.unfinished ? "interrupted, will go on"
                                       : "never run");
    }
    return reasons;
  }
  if (now.record == ManifestState::kDamaged) {
    return {"its record is damaged"};
  }
  if (now.manifest.stage_version != now.stage_version) {
    reasons.push_back("the stage itself is newer (version " +
                      std::to_string(now.manifest.stage_version) + ", now " +
                      std::to_string(now.stage_version) + ")");
  }
  CompareOptions(now, &reasons);
  CompareInputs(now, &reasons);
  CompareOutputs(now, &reasons);
  return reasons;
}

}  // namespace nerfpipe
