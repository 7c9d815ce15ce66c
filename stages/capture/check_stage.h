#pragma once

// Stage "check": measures every frame and says which ones later stages use.

#include "pipeline/engine/stage.h"

#include <memory>

namespace nerfpipe {

struct CheckOptions {
  // Least sharpness, as a share of the neighbours'; 0 drops none.
  double blur = 0.4;
  // Least motion since the last kept frame of a video, as a share of the
  // width; 0 drops none.
  double duplicate = 0.001;
};

std::unique_ptr<Stage> MakeCheckStage();

}  // namespace nerfpipe
