#include "pipeline/cli/session.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/child_process.h"
#include "pipeline/base/error.h"
#include "pipeline/base/text.h"
#include "pipeline/cli/earlier_config.h"
#include "pipeline/cli/presets.h"
#include "pipeline/cli/stage_table.h"
#include "pipeline/cli/trainer_module.h"
#include "stages/nerf/stage/training_stage.h"

#include <algorithm>
#include <regex>
#include <set>
#include <tuple>

#include <nlohmann/json.hpp>
#include <unistd.h>

namespace nerfpipe {

namespace fs = std::filesystem;

namespace {

// Options of the computer, not of the result.
OptionGroup MachineOptions(Machine* machine) {
  OptionGroup group("machine");
  group
      .Integer("threads",
               &machine->threads,
               "threads to use; 0: one per core",
               0,
               1024,
               Effect::kNone)
      .Text("memory",
            &machine->memory,
            "memory that a stage may take, such as 4G; 0: 60 % of what is free",
            Effect::kNone)
      .Text("device",
            &machine->device,
            "where training runs: auto, cpu, cuda or cuda:N",
            Effect::kNone);
  return group;
}

std::vector<OptionGroup> AllGroups(
    const std::vector<std::unique_ptr<Stage>>& stages, Machine* machine) {
  std::vector<OptionGroup> groups;
  for (const auto& stage : stages) {
    for (OptionGroup& group : stage->Options()) {
      groups.push_back(std::move(group));
    }
  }
  groups.push_back(MachineOptions(machine));
  return groups;
}

// What --config names: a file, or one of ours by its bare name.
Preset ConfigNamed(const std::string& name) {
  if (fs::is_regular_file(name)) {
    return {ShownPath(name), ReadFile(name)};
  }
  for (const Preset& preset : Presets()) {
    if (preset.name == name) return preset;
  }
  const std::vector<std::string> names = PresetNames();
  throw UserError(
      "there is no configuration '" + name + "'" + DidYouMean(name, names),
      "give a YAML file or one of: " + ListOf(names),
      ExitCode::kUsage);
}

// What the last --config set in a workspace: option to value.
fs::path PresetPath(const Workspace& workspace) {
  return workspace.Internal() / "preset.json";
}

// Nothing where there is no such file, or a damaged one.
std::map<std::string, std::string> ReadPresetValues(const fs::path& path) {
  if (!fs::exists(path)) return {};
  try {
    return nlohmann::json::parse(ReadFile(path))
        .get<std::map<std::string, std::string>>();
  } catch (const nlohmann::json::exception&) {
    return {};
  }
}

std::map<std::string, std::string> ValuesOf(const Config& config) {
  std::map<std::string, std::string> values;
  for (const Config::Entry& entry : config.Entries()) {
    values[entry.name] = entry.value;
  }
  return values;
}

void WriteIfChanged(const fs::path& path, const std::string& text) {
  if (!fs::exists(path) || ReadFile(path) != text) {
    WriteFileAtomically(path, text);
  }
}

}  // namespace

std::vector<std::string> PresetNames() {
  std::vector<std::string> names;
  for (const Preset& preset : Presets()) names.push_back(preset.name);
  return names;
}

std::string ListOf(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    list += (list.empty() ? "" : ", ") + name;
  }
  return list;
}

std::string ShownPath(const fs::path& path) {
  const fs::path relative = path.lexically_relative(fs::current_path());
  return relative.empty() || *relative.begin() == ".." ? path.string()
                                                       : relative.string();
}

Session::Session(const CommonFlags& flags)
    : flags_(flags),
      console_(STDERR_FILENO, {flags.quiet, flags.verbose}),
      stages_(MakeStages()),
      config_(AllGroups(stages_, &machine_)) {}

std::string Session::MachineLine() const {
  return "machine: threads " + std::to_string(machine_.threads) + ", memory " +
         machine_.memory + ", device " + machine_.device;
}

std::vector<Stage*> Session::stages() const {
  std::vector<Stage*> stages;
  for (const auto& stage : stages_) {
    stages.push_back(stage.get());
  }
  return stages;
}

Stage& Session::StageNamed(const std::string& name) const {
  std::vector<std::string> names;
  for (const auto& stage : stages_) {
    if (stage->Name() == name) {
      return *stage;
    }
    names.push_back(stage->Name());
  }
  throw UserError("there is no stage '" + name + "'" + DidYouMean(name, names),
                  "the stages are " + ListOf(names),
                  ExitCode::kUsage);
}

void Session::Resolve(const std::optional<Workspace>& workspace) {
  if (workspace) ReadWorkspaceConfig(*workspace);
  ResolvePreset(workspace);
  for (const std::string& assignment : flags_.sets) {
    config_.Set(assignment);
    preset_values_.erase(assignment.substr(0, assignment.find('=')));
  }
  for (const auto& [option, value, flag] :
       {std::tuple("machine.threads", flags_.threads, "--threads"),
        std::tuple("machine.memory", flags_.memory, "--mem"),
        std::tuple("machine.device", flags_.device, "--device")}) {
    if (!value.empty()) config_.SetForThisRun(option, value, flag);
  }
  const std::optional<int64_t> memory = ParseBytes(machine_.memory);
  if (!memory || (*memory > 0 && *memory < kLeastMemory)) {
    throw UserError("machine.memory cannot be '" + machine_.memory + "'",
                    "give gigabytes or megabytes, 500M at the least: --mem 4G",
                    ExitCode::kUsage);
  }
  static const std::regex kDevices("auto|cpu|cuda(:[0-9]{1,3})?");
  if (!std::regex_match(machine_.device, kDevices)) {
    throw UserError("machine.device cannot be '" + machine_.device + "'",
                    "use auto, cpu, cuda or cuda:N",
                    ExitCode::kUsage);
  }
  for (const auto& stage : stages_) {
    stage->CheckValues();
  }
}

void Session::ReadWorkspaceConfig(const Workspace& workspace) {
  const fs::path path = workspace.ConfigPath();
  if (!fs::exists(path)) return;
  const std::string yaml = ReadFile(path);
  config_.ReadYaml(yaml, ShownPath(path), {"capture"});
  if (!ListsDefaultsAsValues(yaml)) return;
  const std::map<std::string, std::string> values = ValuesOf(config_);
  std::string changed;
  for (const std::string& option : FormerDefaults(values)) {
    changed += (changed.empty() ? ": " : ", ") + option + " " +
               values.at(option) + " is ";
    config_.Reset(option);
    changed += ValuesOf(config_).at(option);
  }
  console_.Info(
      ShownPath(path) +
      " is of an earlier version; its defaults are those of this one" +
      (changed.empty() ? "" : " now") + changed);
}

void Session::ResolvePreset(const std::optional<Workspace>& workspace) {
  const std::map<std::string, std::string> values = ValuesOf(config_);
  if (workspace) {
    preset_values_ = ReadPresetValues(PresetPath(*workspace));
    // What was chosen since is no longer the preset's.
    std::erase_if(preset_values_, [&](const auto& entry) {
      const auto now = values.find(entry.first);
      return now == values.end() || now->second != entry.second;
    });
  }
  if (flags_.config.empty()) return;
  for (const auto& [option, value] : preset_values_) config_.Reset(option);
  const Preset preset = ConfigNamed(flags_.config);
  const std::vector<std::string> options =
      config_.ReadYaml(preset.yaml, preset.name, {"capture"});
  const std::map<std::string, std::string> now = ValuesOf(config_);
  preset_values_.clear();
  for (const std::string& option : options) {
    preset_values_[option] = now.at(option);
  }
}

void Session::CheckRunUntil(const std::string& until) const {
  std::set<std::string> made = {kCaptureInput};
  for (const auto& stage : stages_) {
    if (!stage->Enabled() && stage->Name() != until) continue;
    const std::vector<std::string> optional = stage->OptionalInputs();
    for (const std::string& input : stage->Inputs()) {
      const bool needed =
          std::find(optional.begin(), optional.end(), input) == optional.end();
      if (needed && made.count(input) == 0) {
        throw UserError("stage " + stage->Name() + " reads " + input +
                            ", which no stage before it makes",
                        "train.factor and splat.factor have to be 1 or one of "
                        "downsample.factors, or 0",
                        ExitCode::kUsage);
      }
    }
    for (const std::string& output : stage->Outputs()) {
      made.insert(output);
    }
    if (dynamic_cast<const TrainingStage*>(stage.get()) != nullptr) {
      CheckTrainerIsThere();
      // These two are everywhere; of others only LibTorch knows.
      if (machine_.device != "auto" && machine_.device != "cpu") {
        LoadTrainerLibrary().CheckDevice(machine_.device);
      }
    }
    if (stage->Name() == until) {
      break;
    }
  }
}

void Session::SaveConfig(const Workspace& workspace) {
  const std::string text =
      "# The configuration of this workspace. What stands behind '#' is a\n"
      "# default. Edit it and run again: only what depends on the change is\n"
      "# done anew.\n" +
      config_.ToYaml();
  // The record first: killed in between, it names values that the file does not
  // have, and those are passed over.
  const std::string preset = nlohmann::json(preset_values_).dump(1) + "\n";
  if (!preset_values_.empty() || fs::exists(PresetPath(workspace))) {
    WriteIfChanged(PresetPath(workspace), preset);
  }
  WriteIfChanged(workspace.ConfigPath(), text);
}

Runner Session::MakeRunner(const Workspace& workspace) {
  const auto isolated_command = [this, &workspace](const std::string& stage,
                                                   int64_t memory) {
    std::vector<std::string> command = {ThisProgram().string(),
                                        "--isolated-stage",
                                        stage,
                                        workspace.root().string(),
                                        std::to_string(getpid()),
                                        std::to_string(memory)};
    const std::vector<std::string> flags =
        FlagsForStage(flags_, config_.Assignments());
    command.insert(command.end(), flags.begin(), flags.end());
    return command;
  };
  return Runner(workspace, stages(), machine_, isolated_command, console_);
}

}  // namespace nerfpipe
