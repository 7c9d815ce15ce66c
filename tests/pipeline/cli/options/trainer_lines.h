#pragma once

// Lines of the table of options that belong to `train`.

#include "tests/pipeline/cli/options/training_run.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace nerfpipe {

struct TrainingLine {
  std::string option;
  std::string value;
  std::string promise;  // of the run with the value, against that without
  std::function<bool(const TrainingRun& without, const TrainingRun& with)>
      holds;
  std::vector<Setting> under = {};  // of both runs
  TestSet set = TestSet::kUnbounded;
};

const std::vector<TrainingLine>& NerfLines();
const std::vector<TrainingLine>& SplatLines();

inline int64_t Size(const TrainingRun& run,
                    const std::string& tensor,
                    int64_t dimension) {
  return run.state.at(tensor).size(dimension);
}

// Is there a tensor of such a name?
inline bool Has(const TrainingRun& run, const std::string& word) {
  return std::any_of(
      run.state.begin(), run.state.end(), [&](const auto& tensor) {
        return tensor.first.find(word) != std::string::npos;
      });
}

inline bool AllZero(const torch::Tensor& tensor) {
  return tensor.count_nonzero().item<int64_t>() == 0;
}

inline bool Near(double a, double b) {
  return std::abs(a - b) <= 1e-9 * std::abs(b);
}

// The first step, before which nothing can differ but what it was given.
inline bool OtherFirstLoss(const TrainingRun& without,
                           const TrainingRun& with) {
  return without.Loss(0) != with.Loss(0);
}

}  // namespace nerfpipe
