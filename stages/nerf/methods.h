#pragma once

// The table of methods: a row for each of kMethodNames. What is known of them
// without LibTorch stands in method_facts.h.

#include "stages/nerf/method.h"
#include "stages/nerf/run_facts.h"

#include <memory>
#include <string>
#include <vector>

namespace nerfpipe::nerf {

struct MethodEntry {
  std::string name;
  // Else it runs on the processor, whatever device is asked for.
  bool uses_gpu = false;
  // Are the rays of forward-facing scenes wanted in normalised device
  // coordinates?
  bool (*wants_ndc)(const Options& options) = nullptr;
  // Fills in the options that are by the length of the run and the scene.
  void (*settle)(Options* options, const RunFacts& facts) = nullptr;
  // Takes what the state was made for from an earlier run, where it is left
  // open.
  void (*keep_shape)(Options* options, const Options& earlier) = nullptr;
  // Fills in what the checkpoints of earlier versions leave open, with what
  // that meant then. Null: nothing.
  void (*settle_earlier)(Options* options, bool bounded) = nullptr;
  std::unique_ptr<Method> (*make)(const MethodContext& context) = nullptr;
};

const std::vector<MethodEntry>& Methods();

// Throws UserError that lists the names when there is none called `name`.
const MethodEntry& FindMethod(const std::string& name);

}  // namespace nerfpipe::nerf
