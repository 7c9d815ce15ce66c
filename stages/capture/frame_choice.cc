#include "stages/capture/frame_choice.h"

#include "pipeline/base/error.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <string>
#include <utility>

namespace nerfpipe {
namespace {

double Median(std::vector<double> values) {
  NERFPIPE_CHECK(!values.empty());
  const auto middle =
      values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

std::vector<size_t> KeptIndices(const CaptureFile& capture) {
  std::vector<size_t> kept;
  for (size_t i = 0; i < capture.frames.size(); ++i) {
    if (capture.frames[i].kept) kept.push_back(i);
  }
  return kept;
}

void Drop(std::string reason, CaptureFrame* frame) {
  frame->kept = false;
  frame->reason = std::move(reason);
}

std::string SizeText(int width, int height) {
  return std::to_string(width) + "x" + std::to_string(height);
}

// How many in a row around `at` would be dropped if `at` were.
size_t RunLength(const std::vector<bool>& dropped, size_t at) {
  size_t length = 1;
  for (size_t i = at; i > 0 && dropped[i - 1]; --i) ++length;
  for (size_t i = at + 1; i < dropped.size() && dropped[i]; ++i) ++length;
  return length;
}

}  // namespace

std::vector<double> RelativeToNeighbours(const std::vector<double>& values) {
  constexpr size_t kNeighbours = 10;
  std::vector<double> relative(values.size(), 1.0);
  const size_t window = std::min(kNeighbours + 1, values.size());
  if (window < 2) return relative;
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t half = kNeighbours / 2;
    const size_t start =
        std::min(i > half ? i - half : 0, values.size() - window);
    std::vector<double> neighbours;
    for (size_t j = start; j < start + window; ++j) {
      if (j != i) neighbours.push_back(values[j]);
    }
    const double median = Median(std::move(neighbours));
    if (median > 0) relative[i] = values[i] / median;
  }
  return relative;
}

void DropOtherSizes(CaptureFile* capture) {
  std::map<std::pair<int, int>, size_t> counts;
  for (const CaptureFrame& frame : capture->frames) {
    ++counts[{frame.width, frame.height}];
  }
  if (counts.size() < 2) return;
  const auto most = std::max_element(
      counts.begin(), counts.end(), [](const auto& a, const auto& b) {
        return a.second < b.second;
      });
  const auto [width, height] = most->first;
  for (CaptureFrame& frame : capture->frames) {
    if (frame.width == width && frame.height == height) continue;
    Drop("size " + SizeText(frame.width, frame.height) + ", most are " +
             SizeText(width, height),
         &frame);
  }
}

void DropDuplicates(double least,
                    const std::function<double(size_t, size_t)>& motion_between,
                    CaptureFile* capture) {
  const std::vector<size_t> kept = KeptIndices(*capture);
  if (kept.empty()) return;
  size_t last = kept.front();
  for (size_t k = 1; k < kept.size(); ++k) {
    const size_t i = kept[k];
    if (motion_between(last, i) < least) {
      Drop("same view as " + capture->frames[last].name, &capture->frames[i]);
    } else {
      last = i;
    }
  }
}

void DropBlurred(double least, CaptureFile* capture) {
  const std::vector<size_t> kept = KeptIndices(*capture);
  std::vector<double> sharpness;
  for (const size_t i : kept) {
    sharpness.push_back(capture->frames[i].sharpness);
  }
  const std::vector<double> relative = RelativeToNeighbours(sharpness);
  std::vector<size_t> order(kept.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return relative[a] < relative[b];
  });
  std::vector<bool> dropped(kept.size(), false);
  size_t count = 0;
  for (const size_t k : order) {
    CaptureFrame& frame = capture->frames[kept[k]];
    frame.relative_sharpness = relative[k];
    const bool room = (count + 1) * 5 <= kept.size();
    if (relative[k] >= least || !room || RunLength(dropped, k) > 2) continue;
    dropped[k] = true;
    ++count;
    char reason[80];
    std::snprintf(reason,
                  sizeof(reason),
                  "blurred: %.0f %% of its neighbours' sharpness",
                  100 * relative[k]);
    Drop(reason, &frame);
  }
}

double RangeOfMost(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t extreme = values.size() / 20;
  return values[values.size() - 1 - extreme] - values[extreme];
}

double MeasureExposureDrift(const std::vector<double>& light,
                            CaptureFile* capture) {
  NERFPIPE_CHECK(light.size() == capture->frames.size());
  const std::vector<size_t> kept = KeptIndices(*capture);
  if (kept.empty()) return 0;
  // Black frames have no logarithm; 16 stops below white is black.
  const auto stops = [](double value) {
    return std::log2(std::max(value, 1.0 / 65536));
  };
  std::vector<double> sorted;
  for (const size_t i : kept) sorted.push_back(stops(light[i]));
  std::sort(sorted.begin(), sorted.end());
  const double median = Median(sorted);
  for (size_t i = 0; i < light.size(); ++i) {
    capture->frames[i].exposure_drift = stops(light[i]) - median;
  }
  return RangeOfMost(std::move(sorted));
}

}  // namespace nerfpipe
