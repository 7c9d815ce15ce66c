// What a runner tells of its stages without running them.

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/json_text.h"
#include "pipeline/engine/commit.h"
#include "pipeline/engine/runner.h"
#include "pipeline/engine/summary.h"

#include <algorithm>
#include <map>
#include <set>

namespace nerfpipe {

namespace fs = std::filesystem;

std::vector<StageStatus> Runner::Status() {
  std::vector<StageStatus> statuses;
  std::map<std::string, std::string> stale_outputs;  // path to stage
  std::set<std::string> failed_outputs;
  for (Stage* stage : stages_) {
    StageStatus status;
    status.name = stage->Name();
    status.description = stage->Description();
    if (!stage->Enabled()) {
      status.state = StageStatus::State::kOff;
      statuses.push_back(std::move(status));
      continue;
    }
    const Situation situation = Look(*stage);
    status.line = situation.manifest.line;
    status.seconds = situation.manifest.seconds;
    status.reasons = ReasonsToRun(situation);
    status.state = status.reasons.empty() ? StageStatus::State::kDone
                                          : StageStatus::State::kStale;
    const std::vector<std::string> optional = stage->OptionalInputs();
    for (const std::string& input : stage->Inputs()) {
      const auto waits_for = stale_outputs.find(input);
      const bool in_vain =
          failed_outputs.count(input) > 0 &&
          std::find(optional.begin(), optional.end(), input) != optional.end();
      if (waits_for != stale_outputs.end() && !in_vain) {
        status.state = StageStatus::State::kWaiting;
        status.reasons = {"after " + waits_for->second};
        break;
      }
    }
    if (status.state != StageStatus::State::kDone) {
      for (const std::string& output : stage->Outputs()) {
        stale_outputs[output] = stage->Name();
        if (!situation.failure.empty()) failed_outputs.insert(output);
      }
    }
    statuses.push_back(std::move(status));
  }
  return statuses;
}

nlohmann::ordered_json Runner::Summary() {
  std::vector<StageRecord> records;
  for (const StageStatus& status : Status()) {
    StageRecord record;
    record.name = status.name;
    const bool off = status.state == StageStatus::State::kOff;
    record.present =
        !off && ReadManifest(workspace_.ManifestPath(status.name),
                             &record.manifest) == ManifestState::kPresent;
    const bool done = status.state == StageStatus::State::kDone;
    // A failure under options that were taken back does not count.
    record.failure = done || off ? "" : LastFailure(workspace_, status.name);
    record.state = off                       ? "off"
                   : done                    ? "done"
                   : !record.failure.empty() ? "failed"
                   : record.present          ? "stale"
                                             : "not run";
    records.push_back(std::move(record));
  }
  return MakeSummary(records);
}

void Runner::WriteSummary() {
  const std::string text = JsonForPeople(Summary(), 2) + "\n";
  const fs::path path = workspace_.SummaryPath();
  if (!fs::exists(path) || ReadFile(path) != text) {
    WriteFileAtomically(path, text);
  }
  digests_.Save();
}

}  // namespace nerfpipe
