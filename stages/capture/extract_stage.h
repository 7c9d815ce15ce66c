#pragma once

// Stage "extract": a video, a folder of videos or a folder of photos becomes
// frames/.

#include "pipeline/engine/stage.h"

#include <memory>
#include <string>

namespace nerfpipe {

struct ExtractOptions {
  int every = 0;     // video: every N-th frame; 0: by target
  int target = 100;  // video: number of frames, at equal image motion
  int jpeg_quality = 97;
  std::string layout = "auto";  // of the pictures; see frame_layout.h
};

std::unique_ptr<Stage> MakeExtractStage();

}  // namespace nerfpipe
