#include "stages/capture/frame_choice.h"

#include "pipeline/base/error.h"
#include "stages/capture/clip_survey.h"

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

// The kept frames of each clip that has any.
std::vector<std::vector<size_t>> KeptByClip(const CaptureFile& capture) {
  std::map<std::string, std::vector<size_t>> clips;
  for (const size_t i : KeptIndices(capture)) {
    clips[capture.frames[i].clip].push_back(i);
  }
  std::vector<std::vector<size_t>> kept;
  for (auto& [clip, frames] : clips) kept.push_back(std::move(frames));
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

// `kept` are frames of one clip.
void DropBlurredOf(const std::vector<size_t>& kept,
                   double least,
                   CaptureFile* capture) {
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

std::vector<size_t> OfMostCommonSize(const CaptureFile& capture) {
  std::map<std::pair<int, int>, std::vector<size_t>> sizes;
  for (const size_t i : KeptIndices(capture)) {
    sizes[{capture.frames[i].width, capture.frames[i].height}].push_back(i);
  }
  const auto most = std::max_element(
      sizes.begin(), sizes.end(), [](const auto& a, const auto& b) {
        return a.second.size() < b.second.size();
      });
  return most == sizes.end() ? std::vector<size_t>() : most->second;
}

void DropOtherSizes(CaptureFile* capture) {
  const std::vector<size_t> most = OfMostCommonSize(*capture);
  if (most.empty()) return;
  const int width = capture->frames[most[0]].width;
  const int height = capture->frames[most[0]].height;
  for (const size_t i : KeptIndices(*capture)) {
    CaptureFrame& frame = capture->frames[i];
    if (frame.width == width && frame.height == height) continue;
    Drop("size " + SizeText(frame.width, frame.height) + ", most are " +
             SizeText(width, height),
         &frame);
  }
}

bool AreOfAClip(const std::vector<double>& motions) {
  // Shares of the width. A clip is thinned to steps of three to six in a
  // hundred; whoever takes photos one by one takes no smaller ones.
  constexpr double kMiddle = 0.015;
  constexpr double kNearlyAll = 0.03;
  if (motions.size() < 3) return false;
  std::vector<double> sorted(motions.begin() + 1, motions.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted[sorted.size() / 2] < kMiddle &&
         sorted[sorted.size() * 9 / 10] < kNearlyAll;
}

void ThinLikeAClip(const std::vector<size_t>& photos,
                   const std::vector<double>& motions,
                   int target,
                   CaptureFile* capture) {
  NERFPIPE_CHECK(photos.size() == motions.size());
  std::vector<SurveyedFrame> clip;
  std::vector<double> way;
  for (size_t k = 0; k < photos.size(); ++k) {
    clip.push_back({static_cast<int64_t>(k),
                    capture->frames[photos[k]].sharpness,
                    motions[k]});
    way.push_back(motions[k] + (k > 0 ? way.back() : 0));
  }
  const std::vector<int64_t> chosen = ChooseByMotion(clip, target);
  if (chosen.empty()) return;
  size_t next = 0;  // of those chosen, the first that is not before k
  for (size_t k = 0; k < photos.size(); ++k) {
    while (next < chosen.size() && chosen[next] < static_cast<int64_t>(k)) {
      ++next;
    }
    if (next < chosen.size() && chosen[next] == static_cast<int64_t>(k)) {
      continue;
    }
    const auto after =
        static_cast<size_t>(chosen[std::min(next, chosen.size() - 1)]);
    const auto before = static_cast<size_t>(chosen[next > 0 ? next - 1 : 0]);
    const size_t nearest =
        std::abs(way[k] - way[before]) <= std::abs(way[after] - way[k]) ? before
                                                                        : after;
    Drop("hardly another view than " + capture->frames[photos[nearest]].name,
         &capture->frames[photos[k]]);
  }
}

void DropDuplicates(double least,
                    const std::function<double(size_t, size_t)>& motion_between,
                    CaptureFile* capture) {
  for (const std::vector<size_t>& kept : KeptByClip(*capture)) {
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
}

void DropBlurred(double least, CaptureFile* capture) {
  for (const std::vector<size_t>& kept : KeptByClip(*capture)) {
    DropBlurredOf(kept, least, capture);
  }
}

double RangeOfMost(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t extreme = values.size() / 20;
  return values[values.size() - 1 - extreme] - values[extreme];
}

}  // namespace nerfpipe
