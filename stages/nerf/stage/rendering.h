#pragma once

// Renders a trained scene along a camera path into videos of colour and depth:
// what the stage `render` and the command `nerfpipe render` have in common.

#include "pipeline/base/report.h"
#include "pipeline/engine/stage.h"
#include "stages/nerf/stage/settings.h"

#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe {

struct RenderJob {
  std::filesystem::path trained;  // train/METHOD
  RenderSettings settings;
  std::filesystem::path out;  // the workspace's root, or what becomes it
  // The automatic path's video is named after the path that it turns out to be.
  bool name_after_path = false;
  std::filesystem::path scratch;  // unfinished work of the same job; exists
  int threads = 1;
  std::string device = "auto";
  Report* report = nullptr;
};

// renders/NAME.mp4, renders/NAME_depth.mp4 and the first frame of each as .png;
// NAME is the path, "video" for the automatic one.
std::vector<std::string> RenderOutputs(const RenderSettings& settings);

// Goes on after the frames that are in `scratch`. Facts: {"results": {"video",
// "depth_video", "path", "frames"}}, paths relative to `out`. Throws UserError
// for a missing or damaged checkpoint and Interrupted between frames.
StageResult Render(const RenderJob& job);

}  // namespace nerfpipe
