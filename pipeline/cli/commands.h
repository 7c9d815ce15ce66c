#pragma once

// The commands, one file each, and the table that main picks from.

#include "pipeline/cli/session.h"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace nerfpipe {

struct Command {
  const char* name;
  const char* description;
  // Adds the command's own flags to its sub-parser, and returns what runs it.
  // The returned function gets the common flags and returns the exit code.
  std::function<int(const CommonFlags&)> (*declare)(CLI::App& app);
};

std::function<int(const CommonFlags&)> DeclareRun(CLI::App& app);
std::function<int(const CommonFlags&)> DeclareCheck(CLI::App& app);
std::function<int(const CommonFlags&)> DeclareStage(CLI::App& app);
std::function<int(const CommonFlags&)> DeclareStatus(CLI::App& app);
std::function<int(const CommonFlags&)> DeclareBatch(CLI::App& app);
std::function<int(const CommonFlags&)> DeclareTrain(CLI::App& app);
std::function<int(const CommonFlags&)> DeclareRender(CLI::App& app);
std::function<int(const CommonFlags&)> DeclareEval(CLI::App& app);
std::function<int(const CommonFlags&)> DeclareExport(CLI::App& app);
std::function<int(const CommonFlags&)> DeclareConfig(CLI::App& app);
std::function<int(const CommonFlags&)> DeclareClean(CLI::App& app);

const std::vector<Command>& Commands();

// What several commands share.

struct RunFlags {
  std::string capture;  // empty: that of the workspace
  std::string until;    // name of a stage; empty: the last
  std::string time;     // --time
  bool deterministic = false;
};

// Runs what is stale, and says how it ended; returns the exit code.
int RunPipeline(const RunFlags& flags, CommonFlags common);

// Says on the screen about how long a run up to this stage (empty: the last)
// will take and how much it will write. Throws UserError when the disk has no
// room for that. Needs the workspace's lock.
void TellEstimate(Session& session,
                  const Workspace& workspace,
                  Runner& runner,
                  const std::string& until);

// Says on the screen how the run ended; returns the exit code.
int ShowOutcome(Session& session,
                const Workspace& workspace,
                Runner& runner,
                const RunOutcome& outcome);

// Says on the screen how work without the pipeline ended (train, render,
// eval); returns the exit code.
int ShowResult(Session& session,
               const std::filesystem::path& folder,
               const StageResult& result);

// The flag --time for an option: "train.time=300" of "5m". Throws UserError.
std::string TimeOption(const std::string& option, const std::string& time);
// Declares --time and --deterministic, which `train` and `run` share.
void DeclareBudget(CLI::App& app, std::string* time, bool* deterministic);

// The default workspace of a capture: a folder named after it in the current
// folder.
std::filesystem::path DefaultWorkspace(const std::filesystem::path& capture);

}  // namespace nerfpipe
