#pragma once

// The configuration: every option of every group, where its value came from,
// and the YAML it is read from and written to. Later sources win: defaults,
// the workspace's nerfpipe.yaml, --config, --set.

#include "pipeline/engine/options.h"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nerfpipe {

class Config {
 public:
  // The fields that the groups are bound to must outlive this object.
  explicit Config(std::vector<OptionGroup> groups);

  // Reads groups of options from a YAML file. `label` names the file in
  // messages and as the origin of its values. Keys at the top level that are
  // not groups must be among `other_keys`. Throws UserError (file, line, what,
  // and the nearest known name) with ExitCode::kUsage.
  void ReadYaml(const std::filesystem::path& path,
                const std::string& label,
                const std::vector<std::string>& other_keys = {});

  // "group.option=value". Throws UserError with ExitCode::kUsage.
  void Set(std::string_view assignment);

  // The whole configuration as YAML with a comment for each option.
  std::string ToYaml() const;

  struct Entry {
    std::string name;  // "group.option"
    std::string value;
    std::string origin;  // "default", "car/nerfpipe.yaml:12", "--set"
    const OptionField* field;
  };
  std::vector<Entry> Entries() const;

  const std::vector<OptionGroup>& groups() const { return groups_; }

 private:
  const OptionGroup& GroupNamed(const std::string& name,
                                const std::string& where) const;
  void Assign(const OptionGroup& group,
              const std::string& option,
              const std::string& value,
              const std::string& where,
              const std::string& origin);

  std::vector<OptionGroup> groups_;
  std::map<std::string, std::string> origins_;  // of values set so far
};

}  // namespace nerfpipe
