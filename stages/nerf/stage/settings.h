#pragma once

// The options of the train and render stages and their groups.

#include "pipeline/engine/options.h"
#include "stages/nerf/options.h"

#include <string>
#include <vector>

namespace nerfpipe {

// Group `train`, and one of each method.
struct TrainSettings {
  nerf::Options options;
  // 0: 4, but 1 for nerf_synthetic data.
  int factor = 0;
  int llffhold = 8;
  std::string scene = "auto";
};

// Group `render`.
struct RenderSettings {
  std::string path = "auto";
  int frames = 120;
  double fps = 30;
  // Against the size of the training images; 0: 1, but 2 for `ngp` on images
  // of fewer than 400 pixels along the longer side.
  double scale = 0;
  int width = 0;  // 0: by scale; one of them alone keeps the aspect ratio
  int height = 0;
  int crf = 18;
};

std::vector<OptionGroup> TrainOptionGroups(TrainSettings* settings);
OptionGroup RenderOptionGroup(RenderSettings* settings);

// What comes of rendering by them, relative to the workspace: renders/NAME.mp4,
// renders/NAME_depth.mp4 and the first frame of each as .png; NAME is the path,
// "video" for the automatic one.
std::vector<std::string> RenderOutputs(const RenderSettings& settings);

// All options of the groups that can change the result, as "group.name=value"
// lines; groups of methods other than `method` are left out.
std::string ResultOptionsText(const std::vector<OptionGroup>& groups,
                              const std::string& method);

// Does a group of TrainOptionGroups matter when `method` is trained?
bool GroupMatters(const OptionGroup& group, const std::string& method);

}  // namespace nerfpipe
