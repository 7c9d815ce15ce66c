#include "stages/capture/clip_survey.h"

#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "stages/capture/frame_measures.h"
#include "stages/capture/wanted_frames.h"
#include "stages/capture/work_queue.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>
#include <optional>

namespace nerfpipe {
namespace {

constexpr int64_t kMostSurveyed = 1500;
constexpr int kPreviewSide = 640;
// Motion below it is noise: of a camera that stands still.
constexpr double kStill = 1e-4;

size_t SampleStep(size_t frames) {
  constexpr size_t kSamples = 9;
  return std::max<size_t>(1, frames / kSamples);
}

struct Look {
  int64_t index = 0;
  FrameMeasures measures;
};

// What a frame is worth that is `off` parts away from the middle of its part.
// Those in the outer fifths come into question only when there are no others:
// frames are to keep their distance.
double Worth(double sharpness, double off) {
  constexpr double kInner = 0.3;
  constexpr double kLossAtItsEnd = 0.2;
  return off <= kInner ? sharpness * (1 - kLossAtItsEnd * off / kInner) : -off;
}

}  // namespace

ClipSurvey SurveyClip(const VideoReader& clip, int threads, Report& report) {
  VideoReader reader(clip, threads);
  const int64_t clip_frames = reader.info().frames;
  const int64_t stride =
      std::max<int64_t>(1, (clip_frames + kMostSurveyed - 1) / kMostSurveyed);
  std::vector<int64_t> wanted;
  for (int64_t i = stride / 2; i < clip_frames; i += stride) {
    wanted.push_back(i);
  }
  if (stride > 1) reader.DecodeOnly(wanted);
  const std::unique_ptr<Progress> progress =
      report.Start("surveying", clip_frames, "frames");
  std::deque<Look> looks;  // its elements stay where they are
  ClipSurvey survey;
  const size_t sampled = SampleStep(wanted.size());
  WorkQueue workers(threads);
  ForWantedFrames(
      wanted, &reader, progress.get(), [&](const VideoFrame& frame) {
        Look& look = looks.emplace_back();
        look.index = frame.index();
        if (looks.size() % sampled == sampled / 2) {
          survey.samples.push_back(frame.ToGrayPreview(kPreviewSide));
        }
        workers.Add([frame, &look] {
          look.measures = MeasureGray(frame.ToGrayPreview(kPreviewSide));
        });
      });
  workers.Finish();
  std::vector<SurveyedFrame>& frames = survey.frames;
  frames.resize(looks.size());
  ParallelFor(static_cast<int64_t>(frames.size()), threads, [&](int64_t at) {
    ThrowIfInterrupted();
    const auto i = static_cast<size_t>(at);
    frames[i].index = looks[i].index;
    frames[i].sharpness = looks[i].measures.sharpness;
    if (i == 0) return;
    frames[i].motion = MotionBetween(looks[i - 1].measures.thumbnail,
                                     looks[i].measures.thumbnail);
  });
  return survey;
}

std::vector<Image> SampleClip(const VideoReader& clip, int threads) {
  VideoReader reader(clip, threads);
  const int64_t clip_frames = reader.info().frames;
  const auto step =
      static_cast<int64_t>(SampleStep(static_cast<size_t>(clip_frames)));
  std::vector<int64_t> wanted;
  for (int64_t i = step / 2; i < clip_frames; i += step) wanted.push_back(i);
  reader.DecodeOnly(wanted);
  const std::unique_ptr<Progress> progress =
      SilentReport().Start("", clip_frames, "frames");
  std::vector<Image> samples;
  ForWantedFrames(
      wanted, &reader, progress.get(), [&](const VideoFrame& frame) {
        samples.push_back(frame.ToGrayPreview(kPreviewSide));
      });
  return samples;
}

double WayOf(const std::vector<SurveyedFrame>& frames) {
  double way = 0;
  for (size_t i = 1; i < frames.size(); ++i) {
    way += std::max(kStill, frames[i].motion);
  }
  return way;
}

std::vector<int64_t> ChooseByMotion(const std::vector<SurveyedFrame>& frames,
                                    int target) {
  // A part of the width; features of neighbours match well up to it.
  constexpr double kFarthest = 0.06;
  std::vector<double> way(frames.size());
  for (size_t i = 1; i < frames.size(); ++i) {
    way[i] = way[i - 1] + std::max(kStill, frames[i].motion);
  }
  const double whole = way.empty() ? 0 : way.back();
  const double needed = std::ceil(whole / kFarthest);
  const auto parts =
      static_cast<int64_t>(std::clamp(needed, 1.0 * target, 3.0 * target));
  const double size = whole / static_cast<double>(parts);
  std::vector<int64_t> chosen;
  size_t i = 0;
  for (int64_t part = 0; part < parts; ++part) {
    const double end = static_cast<double>(part + 1) * size;
    std::optional<size_t> best;
    double most = 0;
    for (; i < frames.size() && (way[i] < end || part + 1 == parts); ++i) {
      const double off = std::abs(way[i] - (end - size / 2)) / size;
      const double worth = Worth(frames[i].sharpness, off);
      if (!best || worth > most) {
        best = i;
        most = worth;
      }
    }
    if (best) chosen.push_back(frames[*best].index);
  }
  return chosen;
}

}  // namespace nerfpipe
