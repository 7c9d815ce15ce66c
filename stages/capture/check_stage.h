#pragma once

// Stage "check": measures every frame and says which ones later stages use.

#include "pipeline/engine/stage.h"

#include <memory>
#include <string>

namespace nerfpipe {

struct CheckOptions {
  // Least sharpness, as a share of the neighbours'; 0 drops none.
  double blur = 0.4;
  // Least motion since the last kept frame of a video, as a share of the
  // width; 0 drops none.
  double duplicate = 0.001;
  // Thin photos as a clip is: "auto" where they are frames of one, "yes", "no".
  std::string thin = "auto";
};

// Photos are thinned to `target` of the stage `extract`, which outlives this
// one; to 100 where there is none.
std::unique_ptr<Stage> MakeCheckStage(Stage* extract = nullptr);

}  // namespace nerfpipe
