#pragma once

#include "pipeline/base/error.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace nerfpipe {

// The value in the middle; of an even number of values the upper of the two.
// There is at least one.
inline double UpperMedian(std::vector<double> values) {
  NERFPIPE_CHECK(!values.empty());
  const auto middle =
      values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace nerfpipe
