#pragma once

// What can be said of a capture before any camera is found: a verdict per item,
// with the frames concerned and advice.

#include "stages/capture/view_pairs.h"
#include "stages/common/capture_file.h"

#include <cstdint>
#include <string>
#include <vector>

namespace nerfpipe {

// With fewer no cameras are looked for.
inline constexpr int64_t kFewestFrames = 8;

enum class Grade { kGood, kFair, kBad };

// "good", "fair", "bad".
const char* NameOf(Grade grade);

struct Verdict {
  std::string item;  // "sharpness"
  Grade grade = Grade::kGood;
  std::string finding;              // "3 of 100 frames are blurred"
  std::string advice;               // what to do about it; empty when good
  std::vector<std::string> frames;  // concerned
};

// Views in the order of the kept frames of the capture.
struct ComparedViews {
  // Two views as numbers in that order, first < second.
  struct Pair {
    size_t first = 0;
    size_t second = 0;
    ViewPair common;
  };
  std::vector<Pair> pairs;
  int width = 0;  // of the searched images
  int height = 0;
};

// Colour of the light over the capture.
struct LightDrift {
  double exposure = 0;  // stops between the extremes
  double colour = 0;    // red or blue against green, likewise
};

// Compares the pairs that ReportCard wants: of a video neighbours, views some
// frames apart, and its end with its beginning; of photos, which have no
// order, those that look most alike.
std::vector<ComparedViews::Pair> CompareCapture(
    const std::vector<ViewPoints>& views, bool video, int threads);

// One verdict per item, always the same items in the same order for a video,
// and for photos.
std::vector<Verdict> ReportCard(const CaptureFile& capture,
                                const ComparedViews& views,
                                const LightDrift& drift);

// The worst of them.
Grade Overall(const std::vector<Verdict>& card);

}  // namespace nerfpipe
