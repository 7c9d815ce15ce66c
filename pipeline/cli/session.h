#pragma once

// What the commands share: flags, the stages with their options, the resolved
// configuration and the console.

#include "pipeline/base/console.h"
#include "pipeline/cli/common_flags.h"
#include "pipeline/engine/config.h"
#include "pipeline/engine/runner.h"
#include "pipeline/engine/stage.h"
#include "pipeline/engine/workspace.h"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nerfpipe {

class Session {
 public:
  explicit Session(const CommonFlags& flags);

  const CommonFlags& flags() const { return flags_; }
  Console& console() { return console_; }
  Config& config() { return config_; }
  const Machine& machine() const { return machine_; }
  // Its options, which no file keeps when they came by flags.
  std::string MachineLine() const;
  // In the order of the pipeline.
  std::vector<Stage*> stages() const;
  // Throws UserError with a suggestion when there is no stage of this name.
  Stage& StageNamed(const std::string& name) const;

  // Reads the configuration: the workspace's nerfpipe.yaml (when there is a
  // workspace), --config, which replaces what an earlier --config set there,
  // --set, and --threads, --mem and --device, which hold for this run alone.
  // Throws UserError for values that no stage could use.
  void Resolve(const std::optional<Workspace>& workspace);

  // Throws UserError when a run up to this stage (empty: the last) could not
  // come to its end: before hours are spent on what stands before.
  void CheckRunUntil(const std::string& until) const;

  // Writes the resolved configuration to the workspace's nerfpipe.yaml, without
  // what holds for this run alone.
  void SaveConfig(const Workspace& workspace);

  Runner MakeRunner(const Workspace& workspace);

 private:
  void ReadWorkspaceConfig(const Workspace& workspace);
  void ResolvePreset(const std::optional<Workspace>& workspace);

  CommonFlags flags_;
  Console console_;
  std::vector<std::unique_ptr<Stage>> stages_;
  Machine machine_;
  Config config_;
  // Option to value, of what --config set, now or in an earlier run, and
  // nothing changed since.
  std::map<std::string, std::string> preset_values_;
};

// Of the configurations that come with the program.
std::vector<std::string> PresetNames();

// "a, b, c".
std::string ListOf(const std::vector<std::string>& names);

// `path` as a person would type it from the current folder.
std::string ShownPath(const std::filesystem::path& path);

}  // namespace nerfpipe
