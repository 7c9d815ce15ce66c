#include "stages/capture/write_clip.h"

#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "pipeline/base/text.h"
#include "stages/capture/frame_views.h"
#include "stages/capture/wanted_frames.h"
#include "stages/capture/work_queue.h"
#include "stages/media/image_file.h"
#include "stages/media/orientation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <utility>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

// Of a pixel, in a writer: one frame that waits and one that is written, as
// decoded and as RGB.
constexpr double kBytesToWrite = 12;

struct ClipFrame {
  int64_t index = 0;
  double time = 0;
  ImageSize size;      // of the picture in the stream, upright
  int64_t number = 0;  // of its files
};

std::string Text(const ImageSize& size) {
  return std::to_string(size.width) + "x" + std::to_string(size.height);
}

// That of most frames, or the larger.
ImageSize CommonSize(const std::vector<ClipFrame>& frames) {
  std::map<std::pair<int, int>, int64_t> counts;
  for (const ClipFrame& frame : frames) {
    ++counts[{frame.size.width, frame.size.height}];
  }
  const auto rank = [](const auto& entry) {
    const auto& [size, count] = entry;
    return std::pair(count, int64_t{size.first} * size.second);
  };
  const auto best = std::max_element(
      counts.begin(), counts.end(), [&](const auto& a, const auto& b) {
        return rank(a) < rank(b);
      });
  return {best->first.first, best->first.second};
}

bool SameShape(const ImageSize& a, const ImageSize& b) {
  constexpr double kRounding = 0.01;
  const double ratio = static_cast<double>(a.width) / a.height * b.height;
  return std::abs(ratio / b.width - 1) < kRounding;
}

class ClipWriter {
 public:
  ClipWriter(const StageContext& context,
             const ClipToWrite& clip,
             int64_t count,
             int quality)
      : context_(context), clip_(clip), count_(count), quality_(quality) {}

  void Write(int64_t first) {
    const VideoInfo& info = clip_.reader->info();
    clip_.reader->DecodeOnly(clip_.wanted);
    const std::unique_ptr<Progress> progress =
        context_.report->Start("decoding", info.frames, "frames");
    WorkQueue writers(
        context_.ThreadsFor(kBytesToWrite * info.width * info.height));
    ForWantedFrames(clip_.wanted,
                    clip_.reader.get(),
                    progress.get(),
                    [&](const VideoFrame& frame) {
                      const int64_t number = ++first;
                      frames_.push_back(
                          {frame.index(), frame.time(), frame.size(), number});
                      writers.Add([this, frame, number] {
                        WriteViews(frame.ToImage(), number);
                      });
                    });
    writers.Finish();
    if (clip_.reader->damaged() > 0) {
      context_.report->Warn(Counted(clip_.reader->damaged(), "damaged frame") +
                            " of " + clip_.title + " left out");
    }
  }

  void BringToOneSize() {
    if (frames_.empty()) return;
    const ImageSize common = CommonSize(frames_);
    std::vector<ClipFrame> others;
    std::vector<ClipFrame> of_other_shape;
    ClipFrame typical;
    std::string sizes;
    for (const ClipFrame& frame : frames_) {
      if (frame.size == common) {
        typical = frame;
      } else if (SameShape(frame.size, common)) {
        others.push_back(frame);
        if (sizes.find(Text(frame.size)) == std::string::npos) {
          sizes += (sizes.empty() ? "" : ", ") + Text(frame.size);
        }
      } else {
        of_other_shape.push_back(frame);
      }
    }
    Resize(others, typical);
    if (!others.empty()) {
      context_.report->Info(
          "the size of the picture changes in " + clip_.title + ": " +
          Counted(static_cast<int64_t>(others.size()), "frame") + " of " +
          sizes + " brought to " + Text(common));
    }
    LeaveOut(of_other_shape, common);
  }

  std::vector<WrittenFrame> Written() const {
    std::vector<WrittenFrame> written;
    const int views = clip_.layout.panorama ? kViewsOfPanorama : 1;
    for (int view = 0; view < views; ++view) {
      for (const ClipFrame& frame : frames_) {
        WrittenFrame& one = written.emplace_back();
        one.file = NameOf(frame.number, view);
        one.listed.index = frame.index;
        one.listed.time = frame.time;
        one.listed.clip = clip_.name;
        if (!clip_.layout.panorama) continue;
        one.listed.clip += DirectionOf(view);
        one.listed.focal = kPanoramaFocal;
      }
    }
    return written;
  }

 private:
  std::string NameOf(int64_t number, int view) const {
    return WrittenName(number, count_, view, ".jpg");
  }
  fs::path FileOf(int64_t number, int view) const {
    return context_.out / kFrameFolder / NameOf(number, view);
  }

  void WriteViews(Image picture, int64_t number) const {
    const std::vector<Image> views =
        CutViews(ApplyOrientation(std::move(picture), clip_.turn),
                 clip_.layout,
                 Resampling::kSmooth);
    for (size_t k = 0; k < views.size(); ++k) {
      WriteImage(views[k], FileOf(number, static_cast<int>(k)), quality_);
    }
  }

  void Resize(const std::vector<ClipFrame>& frames, const ClipFrame& typical) {
    if (frames.empty()) return;
    const ImageSize size = ReadImageSize(FileOf(typical.number, 0));
    const int views = clip_.layout.panorama ? kViewsOfPanorama : 1;
    ParallelFor(
        static_cast<int64_t>(frames.size()), context_.threads, [&](int64_t i) {
          ThrowIfInterrupted();
          for (int view = 0; view < views; ++view) {
            const fs::path file =
                FileOf(frames[static_cast<size_t>(i)].number, view);
            WriteImage(Resized(ReadImage(file),
                               size.width,
                               size.height,
                               Resampling::kSmooth),
                       file,
                       quality_);
          }
        });
  }

  void LeaveOut(const std::vector<ClipFrame>& frames, const ImageSize& common) {
    if (frames.empty()) return;
    for (const ClipFrame& frame : frames) {
      for (int view = 0; view < kViewsOfPanorama; ++view) {
        fs::remove(FileOf(frame.number, view));
      }
      std::erase_if(frames_, [&](const ClipFrame& other) {
        return other.number == frame.number;
      });
    }
    context_.report->Warn(
        Counted(static_cast<int64_t>(frames.size()), "frame") + " of " +
        clip_.title + " left out: of another shape (" +
        Text(frames.front().size) + ") than most (" + Text(common) + ")");
  }

  const StageContext& context_;
  const ClipToWrite& clip_;
  int64_t count_;
  int quality_;
  std::vector<ClipFrame> frames_;
};

}  // namespace

std::vector<WrittenFrame> WriteClipFrames(const StageContext& context,
                                          const ClipToWrite& clip,
                                          int64_t first,
                                          int64_t count,
                                          int jpeg_quality) {
  ClipWriter writer(context, clip, count, jpeg_quality);
  writer.Write(first);
  writer.BringToOneSize();
  return writer.Written();
}

}  // namespace nerfpipe
