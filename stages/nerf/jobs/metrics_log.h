#pragma once

// metrics.jsonl: one JSON object a line, for plots.

#include "stages/nerf/jobs/evaluation.h"
#include "stages/nerf/trainer.h"

#include <filesystem>

namespace nerfpipe {

class MetricsLog {
 public:
  // Goes on with a file that is there, without what it says of steps after
  // `step`: those are done again.
  MetricsLog(const std::filesystem::path& path, int64_t step);

  void Add(const nerf::TrainProgress& progress);
  void Add(const Scores& scores, int64_t step);

 private:
  std::filesystem::path path_;
};

}  // namespace nerfpipe
