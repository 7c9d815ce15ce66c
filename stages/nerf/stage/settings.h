#pragma once

// The options of the train and render stages and their groups.

#include "pipeline/engine/options.h"
#include "stages/nerf/options.h"

#include <string>
#include <vector>

namespace nerfpipe {

// Group of the stage `splat`, and of its method.
inline constexpr char kSplatGroup[] = "splat";

// What group `splat` says of the run besides what the method is: its part of
// `nerfpipe run`, where `train` goes on to mean the NeRF.
struct SplatRunSettings {
  bool enabled = true;
  int steps = 0;
  double time = 0;
  int factor = 0;
};

// Group `train`, and one of each method.
struct TrainSettings {
  nerf::Options options;
  // 0: by the size of the images and the length of the run, but 1 for
  // nerf_synthetic data.
  int factor = 0;
  int llffhold = 8;
  std::string scene = "auto";
  bool nerf_enabled = true;
  SplatRunSettings splat;
};

// The settings of a run of the method that `train` names: where its group says
// how long and how large it is, and group `train` does not, they are those.
TrainSettings RunSettings(const TrainSettings& settings);

// The settings of the stage `splat`, by its own group alone.
TrainSettings SplatStageSettings(const TrainSettings& settings);

// Group `export`.
struct ExportSettings {
  bool enabled = true;
};

// Group `render`.
struct RenderSettings {
  std::string method = "auto";
  std::string path = "auto";
  int frames = 240;
  double fps = 30;
  // Against the size of the training images; 0: the size of the capture, up to
  // 1920 pixels on the longer side, where pictures are cheap.
  double scale = 0;
  int width = 0;  // 0: by scale; one of them alone keeps the aspect ratio
  int height = 0;
  int crf = 18;
};

std::vector<OptionGroup> TrainOptionGroups(TrainSettings* settings);
// Of group `train`, what counts for the stage `splat` as well.
OptionGroup SharedTrainOptions(TrainSettings* settings);
OptionGroup RenderOptionGroup(RenderSettings* settings);
OptionGroup ExportOptionGroup(ExportSettings* settings);

// What comes of rendering by them, relative to the workspace: renders/NAME.mp4,
// renders/NAME_depth.mp4 and the first frame of each as .png; NAME is the path,
// "video" for the automatic one.
std::vector<std::string> RenderOutputs(const RenderSettings& settings);
// NAME.mp4 and so on.
std::vector<std::string> VideoFiles(const std::string& name);

// All options of the groups that can change the result, as "group.name=value"
// lines; groups of methods other than `method` are left out.
std::string ResultOptionsText(const std::vector<OptionGroup>& groups,
                              const std::string& method);

// Does a group of TrainOptionGroups matter when `method` is trained?
bool GroupMatters(const OptionGroup& group, const std::string& method);

}  // namespace nerfpipe
