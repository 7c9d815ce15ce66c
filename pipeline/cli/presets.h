#pragma once

// The configurations of configs/. They are compiled in, so that the program
// knows them wherever it lies.

#include <string>
#include <vector>

namespace nerfpipe {

struct Preset {
  std::string name;
  std::string yaml;
};

// By name.
const std::vector<Preset>& Presets();

}  // namespace nerfpipe
