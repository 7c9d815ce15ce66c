#pragma once

// The configuration: every option of every group, where its value came from,
// and the YAML it is read from and written to. Later sources win: defaults,
// the workspace's nerfpipe.yaml, --config, --set, flags for one run.

#include "pipeline/engine/options.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nerfpipe {

class Config {
 public:
  // The fields that the groups are bound to must outlive this object.
  explicit Config(std::vector<OptionGroup> groups);

  // Reads groups of options from YAML. `label` names the text in messages and
  // as the origin of its values. Keys at the top level that are not groups must
  // be among `other_keys`. Returns the full names of the options it sets.
  // Throws UserError (label, line, what, and the nearest known name) with
  // ExitCode::kUsage.
  std::vector<std::string> ReadYaml(
      const std::string& text,
      const std::string& label,
      const std::vector<std::string>& other_keys = {});

  // "group.option=value". Throws UserError with ExitCode::kUsage.
  void Set(std::string_view assignment);

  // Sets an option for this run alone: ToYaml() keeps what it was. `flag` is
  // what it was given with. Throws as Set().
  void SetForThisRun(const std::string& option,
                     const std::string& value,
                     const std::string& flag);

  // Gives an option its default again. Unknown ones, of another version of the
  // program, are passed over.
  void Reset(const std::string& option);

  // "group.option=value" of all options that are not at their defaults: for
  // Set() in another process.
  std::vector<std::string> Assignments() const;

  // The whole configuration as YAML with a comment for each option. Defaults
  // are comments as well, so that what is written once takes up better ones.
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
  void SetAs(const std::string& option,
             const std::string& value,
             const std::string& where,
             const std::string& origin);
  // Null when there is none of this full name.
  const OptionField* Find(const std::string& option) const;

  std::vector<OptionGroup> groups_;
  std::map<std::string, std::string> origins_;  // of values set so far
  // What options were before a flag set them for this run alone.
  std::map<std::string, std::string> before_this_run_;
};

}  // namespace nerfpipe
