#include "pipeline/cli/common_flags.h"

#include "pipeline/cli/session.h"

#include <algorithm>
#include <variant>

#include <CLI/CLI.hpp>

namespace nerfpipe {
namespace {

// Which processes of our own get a flag as it was given.
enum class HandedOn {
  kNever,  // the command's own affair
  kToRuns,
  kToRunsAndStages,
};

struct Flag {
  std::string names;  // as CLI11 reads them, the long one last
  std::variant<std::string CommonFlags::*,
               std::vector<std::string> CommonFlags::*,
               bool CommonFlags::*>
      field;
  HandedOn handed_on;
  const char* type;  // of its value; empty for those without
  std::string help;

  std::string LongName() const { return names.substr(names.rfind("--")); }
};

std::vector<Flag> Flags() {
  return {
      {"-w,--workspace",
       &CommonFlags::workspace,
       HandedOn::kNever,
       "DIR",
       "The workspace folder"},
      {"--config",
       &CommonFlags::config,
       HandedOn::kToRuns,
       "NAME",
       "Configuration: a YAML file, or one of " + ListOf(PresetNames())},
      {"--set",
       &CommonFlags::sets,
       HandedOn::kToRunsAndStages,
       "OPTION",
       "Sets one option, as often as wanted: group.option=value"},
      {"--threads",
       &CommonFlags::threads,
       HandedOn::kToRuns,
       "N",
       "Threads (default: all cores)"},
      {"--mem",
       &CommonFlags::memory,
       HandedOn::kToRuns,
       "SIZE",
       "Memory that a stage may take (default: 60 % of what is free)"},
      {"--device",
       &CommonFlags::device,
       HandedOn::kToRuns,
       "NAME",
       "auto, cpu, cuda or cuda:N"},
      {"-q,--quiet",
       &CommonFlags::quiet,
       HandedOn::kToRunsAndStages,
       "",
       "Only warnings"},
      {"-v,--verbose",
       &CommonFlags::verbose,
       HandedOn::kToRunsAndStages,
       "",
       "Details too"},
      {"--json",
       &CommonFlags::json,
       HandedOn::kNever,
       "",
       "Results as JSON on standard output"},
  };
}

// Calls visit(field of `flags`) with the field's own type.
template <typename Visit>
void VisitField(const Flag& flag, CommonFlags& flags, const Visit& visit) {
  std::visit([&](const auto field) { visit(flags.*field); }, flag.field);
}

void Append(const std::string& name,
            const std::string& value,
            std::vector<std::string>* arguments) {
  if (!value.empty()) arguments->insert(arguments->end(), {name, value});
}

void Append(const std::string& name,
            const std::vector<std::string>& values,
            std::vector<std::string>* arguments) {
  for (const std::string& value : values) Append(name, value, arguments);
}

void Append(const std::string& name,
            bool on,
            std::vector<std::string>* arguments) {
  if (on) arguments->push_back(name);
}

std::vector<std::string> Arguments(CommonFlags flags, HandedOn least) {
  std::vector<std::string> arguments;
  for (const Flag& flag : Flags()) {
    if (flag.handed_on < least) continue;
    VisitField(flag, flags, [&](const auto& value) {
      Append(flag.LongName(), value, &arguments);
    });
  }
  return arguments;
}

void Declare(CLI::App& app, const Flag& flag, bool* on) {
  app.add_flag(flag.names, *on, flag.help);
}

void Declare(CLI::App& app, const Flag& flag, std::string* value) {
  app.add_option(flag.names, *value, flag.help)->type_name(flag.type);
}

void Declare(CLI::App& app, const Flag& flag, std::vector<std::string>* list) {
  app.add_option(flag.names, *list, flag.help)
      ->type_name(flag.type)
      ->allow_extra_args(false);
}

}  // namespace

void DeclareCommonFlags(CLI::App& app, CommonFlags* flags) {
  for (const Flag& flag : Flags()) {
    VisitField(flag, *flags, [&](auto& field) { Declare(app, flag, &field); });
  }
}

std::vector<std::string> FlagsForRun(const CommonFlags& flags) {
  return Arguments(flags, HandedOn::kToRuns);
}

std::vector<std::string> FlagsForStage(
    CommonFlags flags, const std::vector<std::string>& assignments) {
  flags.sets = assignments;
  return Arguments(flags, HandedOn::kToRunsAndStages);
}

CommonFlags FlagsOfStage(const std::vector<std::string>& arguments) {
  CLI::App app;
  CommonFlags flags;
  DeclareCommonFlags(app, &flags);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  app.parse(reversed);  // from the back
  return flags;
}

}  // namespace nerfpipe
