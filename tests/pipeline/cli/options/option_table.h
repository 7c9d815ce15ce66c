#pragma once

// The table of options: of each, what another value than the default must
// change. Each test file beside this one holds the lines of some groups, and
// compares them with the options that there are.

#include "pipeline/engine/stage.h"

#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {

// "group.option" and a value.
using Setting = std::pair<std::string, std::string>;

inline void Set(Stage& stage, const Setting& setting) {
  const auto& [name, value] = setting;
  const std::string group_name = name.substr(0, name.find('.'));
  for (const OptionGroup& group : stage.Options()) {
    if (group.name() != group_name) continue;
    const OptionField* field = group.Find(name.substr(group_name.size() + 1));
    if (field != nullptr && !field->set(value)) return;
  }
  throw std::runtime_error("cannot set " + name + " to " + value);
}

// An option without a line is one that nobody has shown to do anything; a line
// without an option is left over.
inline void ExpectALineForEach(const std::vector<OptionGroup>& groups,
                               const std::vector<std::string>& lines) {
  std::set<std::string> options;
  for (const OptionGroup& group : groups) {
    for (const OptionField& field : group.fields()) {
      options.insert(group.name() + "." + field.name);
    }
  }
  EXPECT_THAT(std::set<std::string>(lines.begin(), lines.end()),
              ::testing::ContainerEq(options));
}

template <typename Line>
std::vector<std::string> NamesOf(const std::vector<Line>& lines) {
  std::vector<std::string> names;
  for (const Line& line : lines) names.push_back(line.option);
  return names;
}

}  // namespace nerfpipe
