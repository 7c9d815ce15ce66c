#include "pipeline/base/error.h"
#include "pipeline/base/json_text.h"
#include "pipeline/cli/commands.h"

#include <functional>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace nerfpipe {
namespace {

int ShowConfig(bool yaml, const CommonFlags& common) {
  Session session(common);
  std::optional<Workspace> workspace;
  if (!common.workspace.empty()) {
    workspace = Workspace::Open(common.workspace);
  }
  session.Resolve(workspace);
  if (yaml) {
    std::cout << session.config().ToYaml() << std::flush;
    return static_cast<int>(ExitCode::kDone);
  }
  Table table;
  table.header = {"option", "value", "origin", "meaning"};
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const Config::Entry& entry : session.config().Entries()) {
    std::string meaning = entry.field->help;
    if (entry.field->type.find('|') != std::string::npos) {
      meaning += " (" + entry.field->type + ")";
    }
    table.rows.push_back({entry.name, entry.value, entry.origin, meaning});
    json[entry.name] = {{"value", entry.value},
                        {"default", entry.field->default_text},
                        {"origin", entry.origin},
                        {"type", entry.field->type},
                        {"help", entry.field->help}};
  }
  if (common.json) {
    std::cout << JsonForPeople(json, 2) << std::endl;
  } else {
    std::cout << FormatTable(table) << std::flush;
  }
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace

std::function<int(const CommonFlags&)> DeclareConfig(CLI::App& app) {
  const auto yaml = std::make_shared<bool>(false);
  app.add_flag("--yaml", *yaml, "As a YAML file that --config reads");
  app.footer(
      "Examples:\n"
      "  nerfpipe config                      every option and its default\n"
      "  nerfpipe config -w car               as resolved for a workspace\n"
      "  nerfpipe config --config lego --yaml > mine.yaml");
  return
      [yaml](const CommonFlags& common) { return ShowConfig(*yaml, common); };
}

}  // namespace nerfpipe
