#pragma once

// The table of methods: a row for each of kMethodNames.

#include "stages/nerf/method.h"

#include <memory>
#include <string>
#include <vector>

namespace nerfpipe::nerf {

struct MethodEntry {
  std::string name;
  int default_steps = 0;  // when train.steps is 0
  // Of two CPU cores, about; what a time is worth with train.deterministic.
  double steps_per_second = 0;
  // Fills in the options that are by the length of the run and the scene; null:
  // there are none.
  void (*settle)(Options* options,
                 bool bounded,
                 torch::Device device) = nullptr;
  std::unique_ptr<Method> (*make)(const MethodContext& context) = nullptr;
};

const std::vector<MethodEntry>& Methods();

// Throws UserError that lists the names when there is none called `name`.
const MethodEntry& FindMethod(const std::string& name);

}  // namespace nerfpipe::nerf
