#pragma once

// nerfpipe.yaml as earlier versions wrote it: every option with a value, so
// that defaults cannot be told from what was chosen.

#include <map>
#include <string>
#include <vector>

namespace nerfpipe {

// Is the text of a nerfpipe.yaml of that kind?
bool ListsDefaultsAsValues(const std::string& yaml);

// Of these values by option, the options whose value was a default once and is
// no longer.
std::vector<std::string> FormerDefaults(
    const std::map<std::string, std::string>& values);

}  // namespace nerfpipe
