#include "stages/capture/extract_stage.h"

#include "pipeline/base/error.h"
#include "pipeline/base/text.h"
#include "stages/capture/extract_photos.h"
#include "stages/capture/extract_video.h"
#include "stages/capture/frame_list.h"

#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe {
namespace {

class ExtractStage : public Stage {
 public:
  std::string Name() const override { return "extract"; }
  int Version() const override { return 4; }
  std::string Description() const override {
    return "take frames out of the video, or take over the photos";
  }
  std::vector<std::string> Inputs() const override { return {kCaptureInput}; }
  std::vector<std::string> Outputs() const override {
    return {kFrameFolder, kFrameListFile};
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
                 100);
    return {group};
  }

  StageResult Run(const StageContext& context) override {
    std::error_code error;
    if (!std::filesystem::exists(context.capture, error)) {
      throw UserError(
          "there is no file or folder '" + context.capture.string() + "'",
          "check the name of the capture");
    }
    const std::filesystem::path folder = context.out / kFrameFolder;
    std::filesystem::create_directories(folder);
    const bool photos = std::filesystem::is_directory(context.capture, error);
    const auto extract = photos ? &ExtractPhotos : &ExtractVideo;
    const FrameList list = extract(context, options_, folder);
    WriteFrameList(list, context.out / kFrameListFile);
    const auto count = static_cast<int64_t>(list.frames.size());
    StageResult result = StageResult::Done(
        photos ? Counted(count, "photo")
               : std::to_string(count) + " of " +
                     Counted(list.clip_frames, "frame") + " of the video");
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
