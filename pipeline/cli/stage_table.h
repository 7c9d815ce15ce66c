#pragma once

// The table of stages, in the order of the pipeline: the only place that sees
// every stage.

#include "pipeline/engine/stage.h"

#include <memory>
#include <vector>

namespace nerfpipe {

std::vector<std::unique_ptr<Stage>> MakeStages();

}  // namespace nerfpipe
