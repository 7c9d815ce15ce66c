#include "stages/capture/extract_video.h"

#include "pipeline/base/error.h"
#include "pipeline/base/text.h"
#include "stages/capture/clip_survey.h"
#include "stages/capture/wanted_frames.h"
#include "stages/capture/work_queue.h"
#include "stages/media/image_file.h"
#include "stages/media/video_reader.h"

#include <algorithm>
#include <memory>
#include <string>

namespace nerfpipe {
namespace {

// Of a pixel, in a writer: one frame that waits and one that is written, as
// decoded and as RGB.
constexpr double kBytesToWrite = 12;

void TellAbout(const VideoInfo& info, Report& report) {
  // A few may be missing in a file that is in order: repeated frames of AVI
  // take no room.
  if (info.missing_frames > (info.frames + info.missing_frames) / 50) {
    report.Warn("the video announces " +
                std::to_string(info.frames + info.missing_frames) +
                " frames but holds " + std::to_string(info.frames) +
                "; it seems to be cut off, and what is there is used");
  }
  if (!info.hdr.empty()) {
    report.Info("the video is HDR (" + info.hdr +
                "): its colours are brought to standard range");
  }
}

FrameList Describe(const std::filesystem::path& video, const VideoInfo& info) {
  FrameList list;
  list.source = video.filename().string();
  list.video = true;
  list.clip_frames = info.frames;
  list.clip_duration = info.duration;
  list.frames_per_second = info.frames_per_second;
  list.codec = info.codec;
  list.hdr = info.hdr;
  return list;
}

// Numbers in the clip, ascending.
std::vector<int64_t> ChooseFrames(const std::filesystem::path& video,
                                  int64_t clip_frames,
                                  const ExtractOptions& options,
                                  int threads,
                                  Report& report) {
  if (options.every == 0 && clip_frames > options.target) {
    return ChooseByMotion(SurveyClip(video, threads, report), options.target);
  }
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < clip_frames; i += std::max(1, options.every)) {
    chosen.push_back(i);
  }
  return chosen;
}

}  // namespace

FrameList ExtractVideo(const StageContext& context,
                       const ExtractOptions& options,
                       const std::filesystem::path& folder) {
  const std::filesystem::path& video = context.capture;
  Report& report = *context.report;
  VideoReader reader(video, context.threads);
  const VideoInfo& info = reader.info();
  TellAbout(info, report);
  FrameList list = Describe(video, info);
  const std::vector<int64_t> wanted =
      ChooseFrames(video, info.frames, options, context.threads, report);
  const auto total = static_cast<int64_t>(wanted.size());
  reader.DecodeOnly(wanted);
  const std::unique_ptr<Progress> progress =
      report.Start("decoding", info.frames, "frames");
  WorkQueue writers(
      context.ThreadsFor(kBytesToWrite * info.width * info.height));
  ForWantedFrames(
      wanted, &reader, progress.get(), [&](const VideoFrame& frame) {
        ListedFrame listed;
        listed.name = FrameName(
            static_cast<int64_t>(list.frames.size()) + 1, total, ".jpg");
        listed.index = frame.index();
        listed.time = frame.time();
        const std::filesystem::path path = folder / listed.name;
        writers.Add([frame, path, quality = options.jpeg_quality] {
          WriteImage(frame.ToImage(), path, quality);
        });
        list.frames.push_back(std::move(listed));
      });
  writers.Finish();
  if (list.frames.empty()) {
    throw UserError("none of the " + Counted(info.frames, "frame") + " of '" +
                        video.string() + "' can be decoded: its " + info.codec +
                        " stream is damaged",
                    "copy it from the camera again");
  }
  if (reader.damaged() > 0) {
    report.Warn(Counted(reader.damaged(), "damaged frame") +
                " of the video left out");
  }
  return list;
}

}  // namespace nerfpipe
