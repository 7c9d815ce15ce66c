#include "pipeline/engine/isolated.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/child_process.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/json_text.h"
#include "pipeline/base/library_errors.h"
#include "pipeline/base/memory.h"
#include "pipeline/base/system_call.h"
#include "pipeline/base/text.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/prctl.h>
#include <unistd.h>

namespace nerfpipe {

namespace fs = std::filesystem;

namespace {

// The child's exit code, less the errno, when it could not hand its result
// over.
constexpr int kNoResult = 100;
constexpr int kLastErrno = 133;

fs::path ResultPath(const fs::path& root, const std::string& stage) {
  return root / ".nerfpipe/tmp" / stage / "result.json";
}

// The exit code: `code`, or why it could not be done.
int HandOver(const fs::path& path, const std::string& result, int code) {
  try {
    WriteFileAtomically(path, result);
    return code;
  } catch (const UserError&) {
    return kNoResult + errno;  // as the refused call left it
  }
}

std::string ResultToJson(const StageResult& result) {
  const nlohmann::ordered_json json = {
      {"done", result.state == StageResult::State::kDone},
      {"line", result.line},
      {"reduced", result.reduced},
      {"memory_wanted", result.memory_wanted},
      {"account", result.account},
      {"facts", result.facts}};
  return JsonForPeople(json);
}

StageResult ResultFromJson(const std::string& text) {
  const auto json = nlohmann::ordered_json::parse(text);
  if (json.contains("problem")) {
    throw UserError(json.at("problem"),
                    json.at("remedy"),
                    json.at("exit_code").get<ExitCode>());
  }
  StageResult result;
  result.state = json.at("done").get<bool>() ? StageResult::State::kDone
                                             : StageResult::State::kFailed;
  json.at("line").get_to(result.line);
  json.at("reduced").get_to(result.reduced);
  json.at("memory_wanted").get_to(result.memory_wanted);
  json.at("account").get_to(result.account);
  result.facts = json.at("facts");
  return result;
}

bool DiedForMemory(const ChildResult& child) {
  return child.signal == SIGKILL || child.exit_code == kNoMemory;
}

std::string PeakOf(const ChildResult& child) {
  return HumanBytes(static_cast<int64_t>(child.peak_memory_mb * 1e6));
}

std::string WordsForEnd(const std::string& stage, const ChildResult& child) {
  const std::string held = " (it held " + PeakOf(child) + ")";
  return child.exit_code == kNoMemory
             ? "memory ran out in " + stage + held
             : stage + " was killed, most likely because memory ran out" + held;
}

StageResult Death(const std::string& stage,
                  const fs::path& log,
                  const ChildResult& child) {
  if (DiedForMemory(child)) {
    return StageResult::Failed(
        WordsForEnd(stage, child) +
        "; close other programs, or allow less with --mem, then run again: "
        "finished parts are kept");
  }
  const std::string how = child.signal != 0
                              ? "signal " + std::to_string(child.signal)
                              : "exit code " + std::to_string(child.exit_code);
  return StageResult::Failed(stage + " died in a library (" + how +
                             "); its last words are in " + log.string() +
                             "; run again to go on from its finished parts");
}

int64_t SetOrMostOf(const Machine& machine, int64_t bytes) {
  constexpr double kShare = 0.6;
  const int64_t set = ParseBytes(machine.memory).value_or(0);
  const double most = kShare * static_cast<double>(bytes);
  return set > 0 ? set : std::max(static_cast<int64_t>(most), kLeastMemory);
}

// Everything that libraries write to the standard streams goes to the log.
void RedirectOutput(const fs::path& log) {
  const int file = Uninterrupted([&] {
    return open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  });
  if (file >= 0) {
    std::fflush(nullptr);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    close(file);
  }
}

}  // namespace

int64_t MemoryOf(const Machine& machine) {
  return SetOrMostOf(machine, AvailableMemory());
}

int64_t MemoryLimitOf(const Machine& machine) {
  return SetOrMostOf(machine, TotalMemory());
}

StageContext MakeStageContext(const Workspace& workspace,
                              const Stage& stage,
                              const Machine& machine,
                              int64_t memory,
                              Report& report) {
  const fs::path folder = workspace.UnfinishedPath(stage.Name());
  StageContext context;
  context.workspace = workspace.root();
  context.capture = workspace.capture();
  context.out = folder / "out";
  context.scratch = folder / "work";
  context.threads =
      machine.threads > 0
          ? machine.threads
          : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  context.memory = memory;
  context.memory_limit = MemoryLimitOf(machine);
  context.device = machine.device;
  context.report = &report;
  return context;
}

StageResult RunIsolated(const Workspace& workspace,
                        const Stage& stage,
                        const IsolatedCommand& command,
                        int64_t memory,
                        Report& report,
                        double* peak_memory_mb) {
  const fs::path result_path = ResultPath(workspace.root(), stage.Name());
  fs::remove(result_path);
  ChildResult child = RunChild(command(stage.Name(), memory));
  if (DiedForMemory(child)) {
    memory = std::min(memory, static_cast<int64_t>(child.peak_memory_mb * 1e6));
    report.Warn(WordsForEnd(stage.Name(), child) +
                "; once more with half as much");
    ThrowIfInterrupted();
    child = RunChild(command(stage.Name(), std::max(memory / 2, kLeastMemory)));
  }
  *peak_memory_mb = child.peak_memory_mb;
  if (child.exit_code == static_cast<int>(ExitCode::kInterrupted)) {
    throw Interrupted();
  }
  if (child.signal == SIGTERM) {
    ThrowIfInterrupted();  // our own, before the child could catch it
  }
  const int refused = child.exit_code - kNoResult;
  if (refused > 0 && refused <= kLastErrno && !fs::exists(result_path)) {
    ThrowWriteError(result_path, refused);
  }
  if (child.signal != 0 || !fs::exists(result_path)) {
    return Death(stage.Name(), workspace.LogPath(stage.Name()), child);
  }
  return ResultFromJson(ReadFile(result_path));
}

int RunAsChild(int parent,
               const Workspace& workspace,
               Stage& stage,
               const Machine& machine,
               int64_t memory,
               Report& report) {
  // A killed parent must not leave us writing into its workspace, also when it
  // was killed before we came so far.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) {
    return static_cast<int>(ExitCode::kFailed);
  }
  const fs::path result_path = ResultPath(workspace.root(), stage.Name());
  RedirectOutput(workspace.LogPath(stage.Name()));
  try {
    const StageResult result =
        stage.Run(MakeStageContext(workspace, stage, machine, memory, report));
    return HandOver(
        result_path, ResultToJson(result), static_cast<int>(ExitCode::kDone));
  } catch (const Interrupted&) {
    return static_cast<int>(ExitCode::kInterrupted);
  } catch (const std::exception& error) {
    return HandOverError(workspace.root(), stage.Name(), error);
  }
}

int HandOverError(const fs::path& root,
                  const std::string& stage,
                  const std::exception& error) {
  if (IsOutOfMemory(error)) return kNoMemory;
  const std::optional<UserError> told = AsUserError(error);
  if (!told) throw;
  const nlohmann::json json = {{"problem", told->problem()},
                               {"remedy", told->remedy()},
                               {"exit_code", told->exit_code()}};
  return HandOver(ResultPath(root, stage),
                  JsonForPeople(json),
                  static_cast<int>(told->exit_code()));
}

}  // namespace nerfpipe
