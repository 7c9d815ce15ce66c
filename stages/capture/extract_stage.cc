#include "stages/capture/extract_stage.h"

#include "pipeline/base/error.h"
#include "pipeline/base/text.h"
#include "stages/capture/capture_listing.h"
#include "stages/capture/extract_photos.h"
#include "stages/capture/extract_video.h"
#include "stages/capture/frame_list.h"
#include "stages/capture/report_card.h"
#include "stages/common/capture_file.h"
#include "stages/media/file_kind.h"
#include "stages/media/image_file.h"

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

void RequirePictures(const fs::path& folder, const CaptureListing& listing) {
  if (!listing.photos.empty() || !listing.videos.empty()) return;
  const std::string name = "'" + folder.string() + "'";
  if (listing.foreign > 0) {
    throw UserError(
        name + " holds no JPEG or PNG images, only " +
            Counted(static_cast<int64_t>(listing.foreign), "camera raw file"),
        "convert them to JPEG first");
  }
  if (!listing.too_deep.empty()) {
    throw UserError(name + " holds images only more than three folders deep",
                    "give one of those folders, such as '" +
                        (folder / listing.too_deep[0]).string() + "'");
  }
  throw UserError(name + " holds no images and no videos",
                  "give a folder of photos (.jpg or .png), or a video file");
}

FrameList ExtractFolder(const StageContext& context,
                        const ExtractOptions& options) {
  const CaptureListing listing = ListCapture(context.capture);
  RequirePictures(context.capture, listing);
  if (!AreVideosMeant(listing)) {
    return ExtractPhotos(context, options, listing);
  }
  Report& report = *context.report;
  TellWhere(listing.videos, listing, "video", report);
  if (!listing.photos.empty()) {
    report.Warn(
        Counted(static_cast<int64_t>(listing.photos.size()), "picture") +
        " beside the videos left out: " + FirstOf(listing.photos) +
        "; fewer than " + std::to_string(kFewestFrames) +
        " are no capture of their own");
  }
  return ExtractVideos(context, options, listing.videos);
}

FrameList ExtractFile(const StageContext& context,
                      const ExtractOptions& options) {
  if (IsImageFile(context.capture) &&
      ReadImageHeader(context.capture).animated) {
    throw UserError("'" + context.capture.string() +
                        "' is an animated WebP, which cannot be read as a "
                        "video",
                    "convert it to .mp4 or .gif first");
  }
  return ExtractVideos(context, options, {});
}

std::string NameOf(const fs::path& capture) {
  return capture.filename().empty() ? capture.parent_path().filename().string()
                                    : capture.filename().string();
}

// "71 of 400 frames of the video", "240 views cut out of 60 frames".
std::string LineFor(const FrameList& list) {
  const auto count = static_cast<int64_t>(list.frames.size());
  if (!list.video) return Counted(count, "photo");
  const std::string frames = Counted(list.clip_frames, "frame");
  const bool views = list.frames.front().focal > 0;
  std::set<std::string> clips;
  for (const ListedFrame& frame : list.frames) clips.insert(frame.clip);
  if (views) return Counted(count, "view") + " cut out of " + frames;
  return std::to_string(count) + " of " + frames + " of " +
         (clips.size() == 1
              ? "the video"
              : Counted(static_cast<int64_t>(clips.size()), "video"));
}

class ExtractStage : public Stage {
 public:
  std::string Name() const override { return "extract"; }
  int Version() const override { return 5; }
  std::string Description() const override {
    return "take frames out of the video, or take over the photos";
  }
  std::vector<std::string> Inputs() const override { return {kCaptureInput}; }
  std::vector<std::string> Outputs() const override {
    return {kFrameFolder, kFrameMaskFolder, kFrameListFile};
  }

  std::vector<OptionGroup> Options() override {
    OptionGroup group("extract");
    group
        .Integer("every",
                 &options_.every,
                 "video: take every N-th frame; 0 takes as many as target says",
                 0,
                 100000)
        .Integer(
            "target",
            &options_.target,
            "video: number of frames, the sharpest at equal steps of image "
            "motion; up to three times as many where those are large",
            1,
            100000)
        .Integer("jpeg_quality",
                 &options_.jpeg_quality,
                 "JPEG quality of frames that are written anew",
                 50,
                 100)
        .Choice("layout",
                &options_.layout,
                {"auto", "plain", "stereo", "equirectangular"},
                "what a picture shows; stereo: two views, of which the left or "
                "upper is used; equirectangular: 360 degrees, cut into four "
                "views; auto finds out");
    return {group};
  }

  StageResult Run(const StageContext& context) override {
    std::error_code error;
    if (!fs::exists(context.capture, error)) {
      throw UserError(
          "there is no file or folder '" + context.capture.string() + "'",
          "check the name of the capture");
    }
    fs::create_directories(context.out / kFrameFolder);
    fs::create_directories(context.out / kFrameMaskFolder);
    FrameList list = fs::is_directory(context.capture, error)
                         ? ExtractFolder(context, options_)
                         : ExtractFile(context, options_);
    list.source = NameOf(context.capture);
    WriteFrameList(list, context.out / kFrameListFile);
    StageResult result = StageResult::Done(LineFor(list));
    result.facts["frames"]["extracted"] = list.frames.size();
    return result;
  }

 private:
  ExtractOptions options_;
};

}  // namespace

std::unique_ptr<Stage> MakeExtractStage() {
  return std::make_unique<ExtractStage>();
}

}  // namespace nerfpipe
