#include "stages/capture/extract_video.h"

#include "pipeline/base/error.h"
#include "pipeline/base/text.h"
#include "stages/capture/clip_survey.h"
#include "stages/capture/frame_layout.h"
#include "stages/capture/frame_names.h"
#include "stages/capture/frame_views.h"
#include "stages/capture/photo_copies.h"
#include "stages/capture/photo_turns.h"
#include "stages/capture/write_clip.h"
#include "stages/media/video_reader.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <utility>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

struct Clip {
  fs::path path;
  ClipToWrite to_write;
  std::vector<SurveyedFrame> survey;  // empty when no choice is needed
};

void TellAbout(const Clip& clip, Report& report) {
  const VideoInfo& info = clip.to_write.reader->info();
  // A few may be missing in a file that is in order: repeated frames of AVI
  // take no room.
  if (info.missing_frames > (info.frames + info.missing_frames) / 50) {
    report.Warn(clip.to_write.title + " announces " +
                std::to_string(info.frames + info.missing_frames) +
                " frames but holds " + std::to_string(info.frames) +
                "; it seems to be cut off, and what is there is used");
  }
  if (!info.hdr.empty()) {
    report.Info(clip.to_write.title + " is HDR (" + info.hdr +
                "): its colours are brought to standard range");
  }
}

// Those that can be read; of several the others are said.
std::vector<Clip> OpenClips(const StageContext& context,
                            const std::vector<std::string>& names) {
  std::vector<Clip> clips;
  std::string problem;
  for (size_t i = 0; i < std::max<size_t>(1, names.size()); ++i) {
    Clip clip;
    clip.path = names.empty() ? context.capture : context.capture / names[i];
    clip.to_write.name = names.empty() ? "" : names[i];
    clip.to_write.title = names.size() > 1 ? "'" + names[i] + "'" : "the video";
    try {
      clip.to_write.reader =
          std::make_unique<VideoReader>(clip.path, context.threads);
    } catch (const MachineError&) {
      throw;
    } catch (const UserError& error) {
      if (names.size() < 2) throw;
      context.report->Warn(error.problem() + "; left out");
      problem = error.problem();
      continue;
    }
    TellAbout(clip, *context.report);
    clips.push_back(std::move(clip));
  }
  if (clips.empty()) {
    throw UserError("none of the " +
                        Counted(static_cast<int64_t>(names.size()), "video") +
                        " in '" + context.capture.string() + "' can be read (" +
                        problem + ")",
                    "copy them from the camera again");
  }
  return clips;
}

// Without the files that are there twice.
std::vector<std::string> WithoutCopies(const StageContext& context,
                                       const std::vector<std::string>& names) {
  if (names.size() < 2) return names;
  const std::vector<int> copy_of =
      CopiesByBytes(context.capture, names, context.threads);
  std::vector<std::string> kept;
  for (size_t i = 0; i < names.size(); ++i) {
    if (copy_of[i] < 0) {
      kept.push_back(names[i]);
    } else {
      context.report->Info("'" + names[i] + "' left out: it is '" +
                           names[static_cast<size_t>(copy_of[i])] + "' again");
    }
  }
  return kept;
}

// All lie as most do, as photos.
void TurnToOneShape(std::vector<Clip>* clips, Report& report) {
  std::vector<PhotoShape> shapes;
  for (const Clip& clip : *clips) {
    const VideoInfo& info = clip.to_write.reader->info();
    PhotoShape shape{info.width, info.height, info.orientation};
    // PhotoShape has sides as stored.
    if (OrientationSwapsSides(info.orientation)) {
      std::swap(shape.width, shape.height);
    }
    shapes.push_back(shape);
  }
  const std::vector<int> turns = TurnsToOneShape(shapes);
  for (size_t i = 0; i < turns.size(); ++i) {
    ClipToWrite& clip = (*clips)[i].to_write;
    if (turns[i] == 1 || !clip.layout.IsPlain()) continue;
    clip.turn = turns[i];
    report.Info(clip.title +
                " turned by a quarter, so that all lie as the sensor does");
  }
}

int64_t FramesOf(const std::vector<Clip>& clips) {
  int64_t frames = 0;
  for (const Clip& clip : clips) frames += clip.to_write.reader->info().frames;
  return frames;
}

void FindLayoutOf(const std::vector<Image>& samples,
                  const std::string& wanted,
                  Clip* clip,
                  Report& report) {
  ClipToWrite& to_write = clip->to_write;
  const VideoInfo& info = to_write.reader->info();
  to_write.layout = FindLayout(samples, {info.width, info.height}, wanted);
  if (to_write.layout.IsPlain()) return;
  if (to_write.layout.panorama && to_write.name.empty()) {
    to_write.name = clip->path.filename().string();
  }
  report.Info(to_write.title + " shows " + WordsFor(to_write.layout));
  for (SurveyedFrame& frame : clip->survey) {
    frame.motion *= to_write.layout.ViewsAcross();
  }
}

// Surveys them where there is something to choose, and finds their layouts.
void LookAtClips(const StageContext& context,
                 const ExtractOptions& options,
                 std::vector<Clip>* clips) {
  const bool choose = options.every == 0 && FramesOf(*clips) > options.target;
  for (Clip& clip : *clips) {
    std::vector<Image> samples;
    if (choose) {
      ClipSurvey survey =
          SurveyClip(*clip.to_write.reader, context.threads, *context.report);
      clip.survey = std::move(survey.frames);
      samples = std::move(survey.samples);
    } else if (options.layout == "auto" || options.layout == "stereo") {
      samples = SampleClip(*clip.to_write.reader, context.threads);
    }
    FindLayoutOf(samples, options.layout, &clip, *context.report);
  }
}

// Numbers in the clip, ascending.
std::vector<int64_t> ChooseFrames(const Clip& clip,
                                  double whole_way,
                                  const ExtractOptions& options) {
  const ClipToWrite& to_write = clip.to_write;
  if (!clip.survey.empty()) {
    // A panorama gives as many images as it has views.
    const double images = to_write.layout.panorama ? kViewsOfPanorama : 1;
    const double share =
        options.target * WayOf(clip.survey) / whole_way / images;
    return ChooseByMotion(clip.survey,
                          std::max(1, static_cast<int>(std::lround(share))));
  }
  std::vector<int64_t> chosen;
  const int64_t clip_frames = to_write.reader->info().frames;
  for (int64_t i = 0; i < clip_frames; i += std::max(1, options.every)) {
    chosen.push_back(i);
  }
  return chosen;
}

FrameList Describe(const std::vector<Clip>& clips) {
  FrameList list;
  list.video = true;
  for (const Clip& clip : clips) {
    const VideoInfo& info = clip.to_write.reader->info();
    list.clip_frames += info.frames;
    list.clip_duration += info.duration;
  }
  const VideoInfo& first = clips.front().to_write.reader->info();
  list.frames_per_second = first.frames_per_second;
  list.codec = first.codec;
  list.hdr = first.hdr;
  return list;
}

}  // namespace

FrameList ExtractVideos(const StageContext& context,
                        const ExtractOptions& options,
                        const std::vector<std::string>& names) {
  std::vector<Clip> clips = OpenClips(context, WithoutCopies(context, names));
  FrameList list = Describe(clips);
  LookAtClips(context, options, &clips);
  TurnToOneShape(&clips, *context.report);
  double whole_way = 0;
  for (const Clip& clip : clips) whole_way += WayOf(clip.survey);
  int64_t total = 0;
  for (Clip& clip : clips) {
    clip.to_write.wanted =
        ChooseFrames(clip, std::max(whole_way, 1e-9), options);
    total += static_cast<int64_t>(clip.to_write.wanted.size());
  }
  std::vector<WrittenFrame> written;
  int64_t first = 0;
  for (Clip& clip : clips) {
    for (WrittenFrame& frame : WriteClipFrames(
             context, clip.to_write, first, total, options.jpeg_quality)) {
      written.push_back(std::move(frame));
    }
    first += static_cast<int64_t>(clip.to_write.wanted.size());
    clip.to_write.reader.reset();
  }
  if (written.empty()) {
    throw UserError("none of the " + Counted(list.clip_frames, "frame") +
                        " of '" + context.capture.string() +
                        "' can be decoded: its " + list.codec +
                        " stream is damaged",
                    "copy it from the camera again");
  }
  list.frames = NameInOrder(written, context.out);
  return list;
}

}  // namespace nerfpipe
