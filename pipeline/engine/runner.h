#pragma once

// Runs the stages of a pipeline in order, skipping what is up to date.

#include "pipeline/base/report.h"
#include "pipeline/engine/isolated.h"
#include "pipeline/engine/stage.h"
#include "pipeline/engine/staleness.h"
#include "pipeline/engine/tree_digest.h"
#include "pipeline/engine/workspace.h"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace nerfpipe {

struct StageStatus {
  std::string name;
  std::string description;
  enum class State { kDone, kStale, kWaiting, kOff } state;
  std::vector<std::string> reasons;  // why it would run
  std::string line;                  // result of its last run
  double seconds = 0;
};

struct RunOutcome {
  bool ok = true;
  int stages_run = 0;
  std::string failed_stage;
  StageResult failure;
  // Optional stages that failed or could not begin, with the reason.
  std::vector<std::string> without;
};

class Runner {
 public:
  // Everything passed in must outlive the runner. Without a command, isolated
  // stages run in this process (tests).
  Runner(const Workspace& workspace,
         std::vector<Stage*> stages,
         Machine machine,
         IsolatedCommand isolated_command,
         Report& report);

  // Writes nothing, so that it needs no lock.
  std::vector<StageStatus> Status();

  // Ends commits that were cut short, and removes what killed processes left
  // behind. This and the next two need the workspace's lock; those begin with
  // it.
  void FinishCommits();

  // Runs every stale stage up to and including `until` (empty: all), and stops
  // at the first failure; an optional stage's failure counts only when it is
  // `until`. Throws Interrupted after Ctrl-C.
  RunOutcome RunUntil(const std::string& until);

  // Runs one stage whether it is stale or not. Throws UserError when what it
  // reads is not there yet.
  RunOutcome RunAgain(const std::string& name);

  // summary.json from the records of the stages; see docs/WORKSPACE.md. Writes
  // nothing.
  nlohmann::ordered_json Summary();

 private:
  Situation Look(Stage& stage);
  std::map<std::string, std::string> ResultOptions(Stage& stage);
  std::string Fingerprint(const Situation& situation, const Stage& stage);
  RunOutcome RunStage(Stage& stage, const std::vector<std::string>& reasons);
  RunOutcome RunOptionalStage(Stage& stage,
                              const std::vector<std::string>& reasons);
  // An input that is not there and that it cannot do without; or empty.
  std::string MissingInput(const Stage& stage) const;
  StageResult Execute(Stage& stage, double* peak_memory_mb);
  void Record(Stage& stage,
              const Situation& situation,
              const StageResult& result,
              double seconds,
              double peak_memory_mb);
  void WriteSummary();
  // Nothing that goes wrong here hides why the stage failed.
  void TryToNote(const std::string& stage, const std::string& failure);
  // Where the record tells of less for want of memory, and there is more now.
  void OfferRoom(const Stage& stage, const Manifest& record);
  std::string Heading(const Stage& stage) const;

  const Workspace& workspace_;
  std::vector<Stage*> stages_;
  Machine machine_;
  IsolatedCommand isolated_command_;
  Report& report_;
  DigestCache digests_;
};

}  // namespace nerfpipe
