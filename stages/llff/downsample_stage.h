#pragma once

// The stage `downsample`: images/ to images_2/, images_4/, images_8/.

#include "pipeline/engine/stage.h"

#include <memory>

namespace nerfpipe {

std::unique_ptr<Stage> MakeDownsampleStage();

}  // namespace nerfpipe
