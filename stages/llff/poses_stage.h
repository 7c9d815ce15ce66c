#pragma once

// The stage `poses`: sparse/0 and images/ to poses_bounds.npy, transforms.json
// and config_nerf_pytorch.txt.

#include "pipeline/engine/stage.h"

#include <memory>

namespace nerfpipe {

std::unique_ptr<Stage> MakePosesStage();

}  // namespace nerfpipe
