#include "pipeline/engine/runner.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/child_process.h"
#include "pipeline/base/digest.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/json_text.h"
#include "pipeline/base/library_errors.h"
#include "pipeline/base/text.h"
#include "pipeline/engine/commit.h"
#include "pipeline/engine/summary.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>

namespace nerfpipe {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

Runner::Runner(const Workspace& workspace,
               std::vector<Stage*> stages,
               Machine machine,
               IsolatedCommand isolated_command,
               Report& report)
    : workspace_(workspace),
      stages_(std::move(stages)),
      machine_(std::move(machine)),
      isolated_command_(std::move(isolated_command)),
      report_(report),
      digests_(workspace.Internal() / "digests.json") {}

void Runner::FinishCommits() {
  RemoveLeftovers(workspace_.root());
  RemoveLeftovers(workspace_.Internal());
  for (const Stage* stage : stages_) {
    FinishCommit(workspace_, stage->Name(), report_);
  }
}

std::map<std::string, std::string> Runner::ResultOptions(Stage& stage) {
  std::map<std::string, std::string> options;
  const auto add = [&](const OptionGroup& group) {
    for (const OptionField& field : group.fields()) {
      if (field.effect == Effect::kResult) {
        options[group.name() + "." + field.name] = field.get();
      }
    }
  };
  for (const OptionGroup& group : stage.Options()) {
    if (stage.Matters(group)) add(group);
  }
  for (const OptionGroup& group : stage.SharedOptions()) add(group);
  return options;
}

Situation Runner::Look(Stage& stage) {
  stage.LookAt(workspace_.root());
  Situation situation;
  situation.record =
      ReadManifest(workspace_.ManifestPath(stage.Name()), &situation.manifest);
  situation.stage_version = stage.Version();
  situation.options = ResultOptions(stage);
  const auto digest = [&](const std::string& path) {
    // The workspace may lie in the capture, as others do.
    const std::optional<TreeDigest> tree =
        path == kCaptureInput
            ? digests_.Digest(workspace_.capture(), Workspace::Exists)
            : digests_.Digest(workspace_.root() / path);
    return tree ? std::optional(tree->digest) : std::nullopt;
  };
  for (const std::string& input : stage.Inputs()) {
    situation.inputs[input] = digest(input);
  }
  for (const std::string& input : stage.OptionalInputs()) {
    if (!situation.inputs.at(input)) situation.inputs.erase(input);
  }
  for (const std::string& output : stage.Outputs()) {
    situation.outputs[output] = digest(output);
  }
  situation.unfinished = HasUnfinished(workspace_, stage.Name());
  situation.failure = LastFailure(workspace_, stage.Name());
  return situation;
}

std::string Runner::Fingerprint(const Situation& situation,
                                const Stage& stage) {
  DigestBuilder builder;
  builder.Add(stage.Name()).Add(std::to_string(stage.Version()));
  for (const auto& [name, value] : situation.options) {
    builder.Add(name).Add(value);
  }
  for (const auto& [name, value] : situation.inputs) {
    builder.Add(name).Add(value.value_or(""));
  }
  return builder.Finish();
}

RunOutcome Runner::RunUntil(const std::string& until) {
  FinishCommits();
  RunOutcome outcome;
  for (Stage* stage : stages_) {
    ThrowIfInterrupted();
    const bool wanted = stage->Enabled() || stage->Name() == until;
    const Situation now = wanted ? Look(*stage) : Situation();
    const std::vector<std::string> reasons =
        wanted ? ReasonsToRun(now) : std::vector<std::string>();
    if (!wanted) {
      report_.Detail(Heading(*stage) + "left out");
    } else if (reasons.empty()) {
      report_.Detail(Heading(*stage) + "up to date");
      OfferRoom(*stage, now.manifest);
    } else {
      const bool may_fail = stage->Optional() && stage->Name() != until;
      RunOutcome one = may_fail ? RunOptionalStage(*stage, reasons)
                                : RunStage(*stage, reasons);
      outcome.stages_run += one.stages_run;
      if (!one.ok && may_fail) {
        outcome.without.push_back("stage " + stage->Name() +
                                  " failed: " + one.failure.line);
        report_.Warn(outcome.without.back());
      } else if (!one.ok) {
        one.stages_run = outcome.stages_run;
        one.without = outcome.without;
        return one;
      }
    }
    if (stage->Name() == until) {
      break;
    }
  }
  WriteSummary();
  return outcome;
}

void Runner::OfferRoom(const Stage& stage, const Manifest& record) {
  if (record.reduced.empty() ||
      MemoryLimitOf(machine_) < record.memory_wanted) {
    return;
  }
  report_.Info(Heading(stage) + record.reduced +
               " for want of memory, of which there is enough now: 'nerfpipe "
               "stage " +
               stage.Name() + " -w " + workspace_.root().string() +
               (machine_.memory == "0" ? "" : " --mem " + machine_.memory) +
               "' does it again");
}

RunOutcome Runner::RunAgain(const std::string& name) {
  const auto stage =
      std::find_if(stages_.begin(), stages_.end(), [&](const Stage* other) {
        return other->Name() == name;
      });
  NERFPIPE_CHECK(stage != stages_.end());
  FinishCommits();
  for (const StageStatus& status : Status()) {
    if (status.name == name && status.state == StageStatus::State::kWaiting) {
      throw UserError("stage " + name + " can only run " + status.reasons[0] +
                          ", which is not up to date",
                      "'nerfpipe run -w " + workspace_.root().string() +
                          " --until " + name + "' runs both");
    }
  }
  const std::vector<std::string> reasons = ReasonsToRun(Look(**stage));
  if (reasons.empty()) {
    DiscardUnfinished(workspace_, name);
  }
  return RunStage(
      **stage,
      reasons.empty() ? std::vector<std::string>{"asked for"} : reasons);
}

std::string Runner::Heading(const Stage& stage) const {
  const size_t index =
      std::find(stages_.begin(), stages_.end(), &stage) - stages_.begin();
  std::string heading = "[" + std::to_string(index + 1) + "/" +
                        std::to_string(stages_.size()) + "] " + stage.Name();
  heading.resize(std::max<size_t>(heading.size() + 2, 18), ' ');
  return heading;
}

std::string Runner::MissingInput(const Stage& stage) const {
  const std::vector<std::string> optional = stage.OptionalInputs();
  for (const std::string& input : stage.Inputs()) {
    if (input != kCaptureInput &&
        std::find(optional.begin(), optional.end(), input) == optional.end() &&
        !fs::exists(workspace_.root() / input)) {
      return input;
    }
  }
  return "";
}

RunOutcome Runner::RunOptionalStage(Stage& stage,
                                    const std::vector<std::string>& reasons) {
  RunOutcome outcome;
  outcome.ok = false;
  const std::string missing = MissingInput(stage);
  if (!missing.empty()) {
    outcome.failure = StageResult::Failed(missing + " is not there");
    return outcome;
  }
  try {
    return RunStage(stage, reasons);
  } catch (const UserError& error) {
    outcome.stages_run = 1;
    outcome.failure = StageResult::Failed(error.what());
    return outcome;
  }
}

RunOutcome Runner::RunStage(Stage& stage,
                            const std::vector<std::string>& reasons) {
  const std::string name = stage.Name();
  const bool first_time = reasons[0] == "never run";
  report_.Info(Heading(stage) + stage.Description() +
               (first_time ? "" : " (" + reasons[0] + ")"));
  for (size_t i = 1; i < reasons.size(); ++i) {
    report_.Detail("  also: " + reasons[i]);
  }

  const Situation situation = Look(stage);
  for (const auto& [input, digest] : situation.inputs) {
    if (!digest && input == kCaptureInput) {
      throw UserError(
          "there is no file or folder " + workspace_.capture().string(),
          "give the capture's place: nerfpipe run CAPTURE -w " +
              workspace_.root().string());
    }
    if (!digest) {
      throw UserError((workspace_.root() / input).string() +
                          " is missing, and stage " + name + " reads it",
                      "run the stage that makes it: 'nerfpipe status -w " +
                          workspace_.root().string() + "'");
    }
  }
  RefuseForeignOutputs(workspace_, name, stage.Outputs());
  PrepareUnfinished(workspace_, name, Fingerprint(situation, stage));

  const Clock::time_point start = Clock::now();
  double peak_memory_mb = 0;
  RunOutcome outcome;
  outcome.stages_run = 1;
  try {
    outcome.failure = Execute(stage, &peak_memory_mb);
  } catch (const Interrupted&) {
    throw;
  } catch (const std::exception& error) {
    const std::optional<UserError> told = AsUserError(error);
    if (!told) throw;
    TryToNote(name, told->what());
    throw *told;
  }
  if (outcome.failure.state == StageResult::State::kFailed) {
    outcome.ok = false;
    outcome.failed_stage = name;
    TryToNote(name, outcome.failure.line);
    return outcome;
  }
  const double seconds = SecondsSince(start);
  Record(stage, situation, outcome.failure, seconds, peak_memory_mb);
  report_.Info("      " + outcome.failure.line + "  (" +
               HumanDuration(seconds) + ")");
  WriteSummary();
  return outcome;
}

void Runner::TryToNote(const std::string& stage, const std::string& failure) {
  try {
    NoteFailure(workspace_, stage, failure);
    WriteSummary();
  } catch (const std::exception& error) {
    // That of the stage is the one to tell.
    report_.Detail(error.what());
  }
}

StageResult Runner::Execute(Stage& stage, double* peak_memory_mb) {
  if (stage.Isolated() && isolated_command_) {
    return RunIsolated(workspace_,
                       stage,
                       isolated_command_,
                       MemoryOf(machine_),
                       report_,
                       peak_memory_mb);
  }
  ResetPeakMemory();
  StageResult result = stage.Run(MakeStageContext(
      workspace_, stage, machine_, MemoryOf(machine_), report_));
  *peak_memory_mb = PeakMemoryMb();
  return result;
}

void Runner::Record(Stage& stage,
                    const Situation& situation,
                    const StageResult& result,
                    double seconds,
                    double peak_memory_mb) {
  Manifest manifest;
  manifest.stage = stage.Name();
  manifest.stage_version = stage.Version();
  manifest.options = situation.options;
  for (const auto& [input, digest] : situation.inputs) {
    manifest.inputs[input] = *digest;
  }
  manifest.line = result.line;
  manifest.reduced = result.reduced;
  manifest.memory_wanted = result.memory_wanted;
  NERFPIPE_CHECK(result.facts.is_object());
  manifest.facts = result.facts;
  manifest.seconds = seconds;
  manifest.peak_memory_mb = peak_memory_mb;
  const fs::path out = workspace_.UnfinishedPath(stage.Name()) / "out";
  for (const std::string& output : stage.Outputs()) {
    const std::optional<TreeDigest> tree = digests_.Digest(out / output);
    if (!tree) {
      throw CheckFailed("stage " + stage.Name() + " did not write " + output);
    }
    manifest.outputs[output] = {tree->digest, tree->files};
  }
  Commit(workspace_, manifest, report_);
}

}  // namespace nerfpipe
