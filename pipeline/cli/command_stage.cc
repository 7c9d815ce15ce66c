#include "pipeline/base/error.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/stage_table.h"

#include <functional>
#include <memory>

#include <CLI/CLI.hpp>

namespace nerfpipe {
namespace {

int RunStageAgain(const std::string& name, const CommonFlags& common) {
  Session session(common);
  session.StageNamed(name);
  if (common.workspace.empty()) {
    throw UserError("'stage' needs a workspace",
                    "name it: nerfpipe stage " + name + " -w DIR",
                    ExitCode::kUsage);
  }
  const Workspace workspace = Workspace::Open(common.workspace);
  const WorkspaceLock lock(workspace.root());
  session.Resolve(workspace);
  session.CheckRunUntil(name);
  session.SaveConfig(workspace);
  session.console().LogTo(workspace.LogPath("nerfpipe"));
  session.console().Detail(session.MachineLine());
  Runner runner = session.MakeRunner(workspace);
  const RunOutcome outcome = runner.RunAgain(name);
  return ShowOutcome(session, workspace, runner, outcome);
}

}  // namespace

std::function<int(const CommonFlags&)> DeclareStage(CLI::App& app) {
  const auto name = std::make_shared<std::string>();
  std::vector<std::string> names;
  for (const auto& stage : MakeStages()) {
    names.push_back(stage->Name());
  }
  app.add_option("NAME", *name, "One of " + ListOf(names))->required();
  app.footer(
      "Examples:\n"
      "  nerfpipe stage colmap -w car\n"
      "  nerfpipe stage train -w car --set train.method=nerf\n"
      "\n"
      "A stage that was interrupted goes on; one that is up to date is done\n"
      "again from its beginning.");
  return [name](const CommonFlags& common) {
    return RunStageAgain(*name, common);
  };
}

}  // namespace nerfpipe
