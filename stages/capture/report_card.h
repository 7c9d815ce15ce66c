#pragma once

// What can be said of a capture before any camera is found: a verdict per item,
// with the frames concerned and advice.

#include "stages/capture/compared_views.h"
#include "stages/capture/frame_measures.h"
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

// What the light of a capture is like.
struct CaptureLight {
  // How far it changes from one end of most kept frames to the other, in stops.
  double exposure = 0;
  double colour = 0;  // red or blue against green, likewise
  // Of each frame of the capture, dropped ones too.
  std::vector<Tones> tones;
};

// One verdict per item, always the same items in the same order for a video,
// for several clips and for photos. The views of `pairs` are the kept frames.
std::vector<Verdict> ReportCard(const CaptureFile& capture,
                                const std::vector<ComparedPair>& pairs,
                                const CaptureLight& light);

// The worst of them.
Grade Overall(const std::vector<Verdict>& card);

}  // namespace nerfpipe
