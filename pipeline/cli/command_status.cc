#include "pipeline/base/error.h"
#include "pipeline/base/json_text.h"
#include "pipeline/base/text.h"
#include "pipeline/cli/commands.h"

#include <functional>
#include <iostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace nerfpipe {
namespace {

const char* StateName(StageStatus::State state) {
  switch (state) {
    case StageStatus::State::kDone:
      return "done";
    case StageStatus::State::kStale:
      return "to do";
    case StageStatus::State::kWaiting:
      return "waits";
    case StageStatus::State::kOff:
      return "off";
  }
  return "";
}

std::string Joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    text += (text.empty() ? "" : "; ") + part;
  }
  return text;
}

int ShowStatus(const CommonFlags& common) {
  Session session(common);
  if (common.workspace.empty()) {
    throw UserError("'status' needs a workspace",
                    "name it: nerfpipe status -w DIR",
                    ExitCode::kUsage);
  }
  const Workspace workspace = Workspace::Open(common.workspace);
  session.Resolve(workspace);
  Runner runner = session.MakeRunner(workspace);
  Table table;
  table.header = {"stage", "state", "time", "why, or what it made"};
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const StageStatus& status : runner.Status()) {
    const bool done = status.state == StageStatus::State::kDone;
    table.rows.push_back(
        {status.name,
         StateName(status.state),
         status.seconds > 0 ? HumanDuration(status.seconds) : "-",
         done ? status.line : Joined(status.reasons)});
    json[status.name] = {{"state", StateName(status.state)},
                         {"reasons", status.reasons},
                         {"result", status.line}};
  }
  if (common.json) {
    std::cout << JsonForPeople(json, 2) << std::endl;
  } else {
    std::cout << ShownPath(workspace.capture()) << " -> "
              << ShownPath(workspace.root()) << "/\n"
              << FormatTable(table) << std::flush;
  }
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace

std::function<int(const CommonFlags&)> DeclareStatus(CLI::App& app) {
  app.footer(
      "Examples:\n"
      "  nerfpipe status -w car\n"
      "  nerfpipe status -w car --set train.factor=2    what would run then");
  return ShowStatus;
}

}  // namespace nerfpipe
