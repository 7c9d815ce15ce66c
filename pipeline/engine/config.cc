#include "pipeline/engine/config.h"

#include "pipeline/base/error.h"
#include "pipeline/base/text.h"

#include <algorithm>

#include <yaml-cpp/yaml.h>

namespace nerfpipe {
namespace {

[[noreturn]] void ThrowUsage(std::string problem, std::string remedy) {
  throw UserError(std::move(problem), std::move(remedy), ExitCode::kUsage);
}

std::string Where(const std::string& label, const YAML::Mark& mark) {
  return label + ":" + std::to_string(mark.line + 1);
}

// A scalar as written, or a list of scalars joined by commas.
std::string ValueText(const YAML::Node& node, const std::string& where) {
  if (node.IsScalar()) {
    return node.Scalar();
  }
  if (node.IsSequence()) {
    std::string text;
    for (const YAML::Node& item : node) {
      text += (text.empty() ? "" : ",") + ValueText(item, where);
    }
    return text;
  }
  ThrowUsage(where + ": a single value is needed here",
             "write it as 'option: value'");
}

std::string YamlText(const std::string& value) {
  YAML::Emitter out;
  out << value;
  return out.c_str();
}

}  // namespace

Config::Config(std::vector<OptionGroup> groups) : groups_(std::move(groups)) {
  for (size_t i = 0; i < groups_.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      NERFPIPE_CHECK(groups_[i].name() != groups_[j].name());
    }
  }
}

const OptionGroup& Config::GroupNamed(const std::string& name,
                                      const std::string& where) const {
  std::vector<std::string> names;
  for (const OptionGroup& group : groups_) {
    if (group.name() == name) {
      return group;
    }
    names.push_back(group.name());
  }
  ThrowUsage(where + ": there is no group of options named '" + name + "'" +
                 DidYouMean(name, names),
             "'nerfpipe config' lists them all");
}

void Config::Assign(const OptionGroup& group,
                    const std::string& option,
                    const std::string& value,
                    const std::string& where,
                    const std::string& origin) {
  const std::string full_name = group.name() + "." + option;
  const OptionField* const field = group.Find(option);
  if (field == nullptr) {
    std::vector<std::string> names;
    for (const OptionField& known : group.fields()) {
      names.push_back(known.name);
    }
    std::string nearest = NearestWord(option, names);
    if (!nearest.empty()) {
      nearest = ", did you mean '" + group.name() + "." + nearest + "'?";
    }
    ThrowUsage(where + ": there is no option '" + full_name + "'" + nearest,
               "'nerfpipe config' lists them all");
  }
  if (const auto wrong = field->set(value)) {
    ThrowUsage(where + ": " + full_name + " " + *wrong,
               "'nerfpipe config' says what it means");
  }
  if (field->get() == field->default_text) {
    origins_.erase(full_name);
  } else {
    origins_[full_name] = origin;
  }
}

std::vector<std::string> Config::ReadYaml(
    const std::string& text,
    const std::string& label,
    const std::vector<std::string>& other_keys) {
  std::vector<std::string> set;
  try {
    const YAML::Node root = YAML::Load(text);
    if (root.IsNull()) {
      return set;
    }
    if (!root.IsMap()) {
      ThrowUsage(label + ": this is not a list of groups of options",
                 "write 'group:' and below it '  option: value'");
    }
    for (const auto& entry : root) {
      const YAML::Node& key = entry.first;
      const YAML::Node& node = entry.second;
      const std::string where = Where(label, key.Mark());
      const std::string name = key.Scalar();
      if (std::count(other_keys.begin(), other_keys.end(), name) > 0) {
        continue;
      }
      const OptionGroup& group = GroupNamed(name, where);
      if (node.IsNull()) {
        continue;
      }
      if (!node.IsMap()) {
        ThrowUsage(where + ": '" + name + "' is a group of options",
                   "write its options on the lines below, indented");
      }
      for (const auto& item : node) {
        const std::string line = Where(label, item.first.Mark());
        Assign(group,
               item.first.Scalar(),
               ValueText(item.second, line),
               line,
               line);
        set.push_back(name + "." + item.first.Scalar());
      }
    }
    return set;
  } catch (const YAML::Exception& error) {
    ThrowUsage(Where(label, error.mark) + ": " + error.msg,
               "mend the line, or delete the file to start from defaults");
  }
}

void Config::Set(std::string_view assignment) {
  const size_t equals = assignment.find('=');
  const std::string where = "--set " + std::string(assignment);
  if (equals == std::string_view::npos ||
      assignment.substr(0, equals).find('.') == std::string_view::npos) {
    ThrowUsage(where + " cannot be read",
               "write it as --set group.option=value");
  }
  SetAs(std::string(assignment.substr(0, equals)),
        std::string(assignment.substr(equals + 1)),
        where,
        "--set");
}

void Config::SetForThisRun(const std::string& option,
                           const std::string& value,
                           const std::string& flag) {
  const OptionField* const field = Find(option);
  NERFPIPE_CHECK(field != nullptr);
  const std::string before = field->get();
  SetAs(option, value, flag + " " + value, flag);
  before_this_run_.emplace(option, before);
}

void Config::SetAs(const std::string& option,
                   const std::string& value,
                   const std::string& where,
                   const std::string& origin) {
  const size_t dot = option.find('.');
  Assign(GroupNamed(option.substr(0, dot), where),
         option.substr(dot + 1),
         value,
         where,
         origin);
}

const OptionField* Config::Find(const std::string& option) const {
  const size_t dot = option.find('.');
  for (const OptionGroup& group : groups_) {
    if (group.name() == option.substr(0, dot)) {
      return group.Find(option.substr(dot + 1));
    }
  }
  return nullptr;
}

void Config::Reset(const std::string& option) {
  if (const OptionField* const field = Find(option)) {
    NERFPIPE_CHECK(!field->set(field->default_text));
    origins_.erase(option);
  }
}

std::vector<std::string> Config::Assignments() const {
  std::vector<std::string> assignments;
  for (const Entry& entry : Entries()) {
    if (entry.value != entry.field->default_text) {
      assignments.push_back(entry.name + "=" + entry.value);
    }
  }
  return assignments;
}

std::string Config::ToYaml() const {
  std::string text;
  for (const OptionGroup& group : groups_) {
    if (group.fields().empty()) {
      continue;
    }
    text += "\n" + group.name() + ":\n";
    for (const OptionField& field : group.fields()) {
      const auto before =
          before_this_run_.find(group.name() + "." + field.name);
      const std::string value =
          before == before_this_run_.end() ? field.get() : before->second;
      const bool chosen = value != field.default_text;
      std::string line =
          (chosen ? "  " : "  # ") + field.name + ": " + YamlText(value);
      line.resize(std::max<size_t>(line.size() + 2, 32), ' ');
      text += line + "# " + field.help + "\n";
    }
  }
  return text;
}

std::vector<Config::Entry> Config::Entries() const {
  std::vector<Entry> entries;
  for (const OptionGroup& group : groups_) {
    for (const OptionField& field : group.fields()) {
      const std::string name = group.name() + "." + field.name;
      const auto origin = origins_.find(name);
      entries.push_back({name,
                         field.get(),
                         origin == origins_.end() ? "default" : origin->second,
                         &field});
    }
  }
  return entries;
}

}  // namespace nerfpipe
