#pragma once

// About how long a run will take and how much it will write, from what is known
// before it begins.

#include "pipeline/base/report.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>

namespace nerfpipe {

// What the run has to work on.
struct RunSize {
  bool video = false;  // of a long one only neighbours are compared
  int64_t read = 0;    // frames of the clip, or photos
  int64_t frames = 0;  // for which cameras are looked for
  int width = 0;       // of one
  int height = 0;
};

// What it has to do.
struct RunWork {
  std::set<std::string> stages;  // that will run
  // By stage: what its options allow.
  std::map<std::string, double> training_seconds;
  std::string shown;  // the method that is rendered
  int video_frames = 0;
  int video_width = 0;  // 0: as the frames, or by the other side
  int video_height = 0;
};

struct RunEstimate {
  double seconds = 0;  // on two cores
  int64_t bytes = 0;   // on the disk, with what is there for a while
};

RunEstimate EstimateRun(const RunSize& size, const RunWork& work);

// "About 4 min 20 s on two cores, and 310 MB of the 52.3 GB that are free."
std::string EstimateText(const RunEstimate& estimate, int64_t free_bytes);

// Warns when so little is free that the run may not end, and throws UserError
// when it cannot, however rough the estimate is. `folder` is the workspace.
void CheckRoom(const RunEstimate& estimate,
               int64_t free_bytes,
               const std::filesystem::path& folder,
               Report& report);

}  // namespace nerfpipe
