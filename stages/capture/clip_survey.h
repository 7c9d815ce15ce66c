#pragma once

// A first look at a clip at low resolution, and which frames are worth having.

#include "pipeline/base/report.h"
#include "stages/common/image.h"
#include "stages/media/video_reader.h"

#include <cstdint>
#include <vector>

namespace nerfpipe {

struct SurveyedFrame {
  int64_t index = 0;     // number in the clip
  double sharpness = 0;  // variance of the Laplacian at 640 pixels
  double motion = 0;     // from the frame before, as MotionBetween; 0 for the
                         // first
};

struct ClipSurvey {
  std::vector<SurveyedFrame> frames;
  // Some nine of them, gray, 640 pixels on the longer side.
  std::vector<Image> samples;
};

// Measures the frames of a clip, or every N-th of one with more than 1500, by a
// reader of its own. Throws UserError when the video cannot be read; damaged
// frames are missing.
ClipSurvey SurveyClip(const VideoReader& clip, int threads, Report& report);

// The samples alone.
std::vector<Image> SampleClip(const VideoReader& clip, int threads);

// The sum of the motion.
double WayOf(const std::vector<SurveyedFrame>& frames);

// Numbers in the clip of about `target` frames, ascending: the clip is cut into
// parts of equal image motion, and from the middle of each the sharpest frame
// is taken. More, up to three times as many, where the parts would otherwise
// be too far from each other to match; fewer where the clip has no more.
std::vector<int64_t> ChooseByMotion(const std::vector<SurveyedFrame>& frames,
                                    int target);

}  // namespace nerfpipe
