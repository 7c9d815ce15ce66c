#include "pipeline/base/error.h"
#include "pipeline/base/text.h"
#include "pipeline/cli/commands.h"

#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

namespace nerfpipe {

namespace fs = std::filesystem;

namespace {

Workspace FindWorkspace(const RunFlags& flags, const CommonFlags& common) {
  if (flags.capture.empty() && common.workspace.empty()) {
    throw UserError("there is no capture",
                    "name a video or a folder of photos: nerfpipe run car.mp4",
                    ExitCode::kUsage);
  }
  if (flags.capture.empty()) {
    return Workspace::Open(common.workspace);
  }
  if (common.workspace.empty() && Workspace::Exists(flags.capture)) {
    return Workspace::Open(flags.capture);
  }
  if (!fs::exists(flags.capture)) {
    throw UserError("there is no file or folder '" + flags.capture + "'",
                    "check the name of the capture",
                    ExitCode::kUsage);
  }
  const fs::path root = common.workspace.empty()
                            ? DefaultWorkspace(flags.capture)
                            : fs::path(common.workspace);
  if (!Workspace::Exists(root)) {
    // A mistake in an option must not leave a new workspace behind.
    Session session(common);
    session.Resolve(std::nullopt);
    session.CheckRunUntil(flags.until);
  }
  return Workspace::OpenOrCreate(root, flags.capture);
}

}  // namespace

int RunPipeline(const RunFlags& flags, CommonFlags common) {
  if (!flags.time.empty()) {
    for (const char* option : {"train.time", "splat.time"}) {
      common.sets.push_back(TimeOption(option, flags.time));
    }
  }
  if (flags.deterministic) common.sets.push_back("train.deterministic=true");
  Session session(common);
  if (!flags.until.empty()) {
    session.StageNamed(flags.until);
  }
  const Workspace workspace = FindWorkspace(flags, common);
  const WorkspaceLock lock(workspace.root());
  session.Resolve(workspace);
  session.CheckRunUntil(flags.until);
  session.SaveConfig(workspace);
  session.console().LogTo(workspace.LogPath("nerfpipe"));
  session.console().Info("nerfpipe " NERFPIPE_VERSION "  " +
                         ShownPath(workspace.capture()) + " -> " +
                         ShownPath(workspace.root()) + "/");
  session.console().Detail(session.MachineLine());
  Runner runner = session.MakeRunner(workspace);
  TellEstimate(session, workspace, runner, flags.until);
  const RunOutcome outcome = runner.RunUntil(flags.until);
  return ShowOutcome(session, workspace, runner, outcome);
}

fs::path DefaultWorkspace(const fs::path& capture) {
  const fs::path clean = fs::absolute(capture / ".").lexically_normal();
  const fs::path place =
      fs::is_directory(capture) ? clean.parent_path() : fs::path(capture);
  const fs::path name =
      fs::is_directory(capture) ? place.filename() : place.stem();
  const fs::path root = fs::current_path() / name;
  std::error_code error;
  if (fs::equivalent(root, capture, error)) {
    return fs::current_path() / (name.string() + "-nerf");
  }
  return root;
}

std::function<int(const CommonFlags&)> DeclareRun(CLI::App& app) {
  const auto flags = std::make_shared<RunFlags>();
  app.add_option("CAPTURE", flags->capture, "A video, or a folder of photos");
  app.add_option("--until", flags->until, "Stop after this stage")
      ->type_name("STAGE");
  DeclareBudget(app, &flags->time, &flags->deterministic);
  app.footer(
      "Examples:\n"
      "  nerfpipe run car.mp4\n"
      "  nerfpipe run photos/ -w car --config quick\n"
      "  nerfpipe run car.mp4 --until downsample\n"
      "  nerfpipe run car.mp4 --time 2m\n"
      "  nerfpipe run -w car --set train.factor=2\n"
      "\n"
      "The workspace is a folder named after the capture, in the current "
      "folder.");
  return [flags](const CommonFlags& common) {
    return RunPipeline(*flags, common);
  };
}

}  // namespace nerfpipe
