#include "stages/capture/check_stage.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "stages/capture/check_account.h"
#include "stages/capture/compared_views.h"
#include "stages/capture/frame_choice.h"
#include "stages/capture/frame_list.h"
#include "stages/capture/frame_measures.h"
#include "stages/capture/light_drift.h"
#include "stages/capture/report_card.h"
#include "stages/capture/report_page.h"
#include "stages/common/capture_file.h"
#include "stages/media/image_file.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace nerfpipe {
namespace {

constexpr char kCaptureFile[] = "capture.json";
constexpr char kCheckPage[] = "check.html";
// Of a pixel; JPEG files, which are decoded at a smaller size, take less.
constexpr double kBytesToMeasure = 8;

// What the measuring of all frames gave, frame by frame.
struct Measured {
  CaptureFile capture;
  std::vector<FrameLook> looks;
};

// The mask of a frame; empty where it has none.
std::filesystem::path MaskOf(const std::string& frame,
                             const StageContext& context) {
  const std::filesystem::path mask =
      context.workspace / kFrameMaskFolder /
      std::filesystem::path(frame).replace_extension(".png");
  return std::filesystem::exists(mask) ? mask : std::filesystem::path();
}

Measured Measure(const FrameList& list, const StageContext& context) {
  Measured result;
  result.capture.kind = list.Kind();
  result.capture.frames.resize(list.frames.size());
  result.looks.resize(list.frames.size());
  const auto total = static_cast<int64_t>(list.frames.size());
  const std::unique_ptr<Progress> progress =
      context.report->Start("measuring", total, "frames");
  std::atomic<int64_t> done = 0;
  const std::filesystem::path folder = context.workspace / kFrameFolder;
  double pixels = 1;
  for (const ListedFrame& listed : list.frames) {
    const ImageSize size = ReadImageSize(folder / listed.name);
    pixels = std::max(pixels, static_cast<double>(size.width) * size.height);
    if (list.video) break;  // others have the same
  }
  const int threads = context.ThreadsFor(kBytesToMeasure * pixels);
  ParallelFor(total, threads, [&](int64_t index) {
    ThrowIfInterrupted();
    const auto i = static_cast<size_t>(index);
    const ListedFrame& listed = list.frames[i];
    result.looks[i] =
        LookAtFrame(folder / listed.name, MaskOf(listed.name, context));
    const FrameMeasures& measures = result.looks[i].measures;
    CaptureFrame& frame = result.capture.frames[i];
    frame.name = listed.name;
    frame.original = listed.original;
    frame.focal = listed.focal;
    frame.clip = listed.clip;
    frame.index = listed.index;
    frame.time = listed.time;
    frame.width = measures.width;
    frame.height = measures.height;
    frame.sharpness = measures.sharpness;
    frame.exposure = measures.luma;
    progress->Update(++done);
  });
  return result;
}

double Motion(const Measured& measured, size_t from, size_t to) {
  return MotionBetween(measured.looks[from].measures.thumbnail,
                       measured.looks[to].measures.thumbnail);
}

void MeasureMotion(int threads, Measured* measured) {
  std::vector<CaptureFrame>& frames = measured->capture.frames;
  const auto pairs = static_cast<int64_t>(frames.size()) - 1;
  ParallelFor(pairs, threads, [&](int64_t pair) {
    ThrowIfInterrupted();
    const auto i = static_cast<size_t>(pair);
    if (frames[i].clip != frames[i + 1].clip) return;
    frames[i + 1].motion = Motion(*measured, i, i + 1);
  });
}

// Of the kept frames, whose number in the capture `kept` says.
std::vector<ComparedPair> Compare(const Measured& measured,
                                  const std::vector<size_t>& kept,
                                  const StageContext& context) {
  std::vector<ViewPoints> views;
  std::vector<std::string> clips;
  for (const size_t i : kept) {
    views.push_back(measured.looks[i].points);
    if (measured.capture.kind != "photos") {
      clips.push_back(measured.capture.frames[i].clip);
    }
  }
  return CompareCapture(views, clips, context.threads);
}

// Sets exposure_drift of the kept frames.
CaptureLight MeasureLight(const std::vector<size_t>& kept,
                          const std::vector<ComparedPair>& pairs,
                          Measured* measured) {
  const std::vector<LightStep> steps = LightOfViews(kept.size(), pairs);
  std::vector<double> exposure;
  std::vector<double> red;
  std::vector<double> blue;
  for (size_t k = 0; k < kept.size(); ++k) {
    measured->capture.frames[kept[k]].exposure_drift = steps[k].exposure;
    exposure.push_back(steps[k].exposure);
    red.push_back(steps[k].red);
    blue.push_back(steps[k].blue);
  }
  CaptureLight light;
  light.exposure = RangeOfMost(std::move(exposure));
  light.colour =
      std::max(RangeOfMost(std::move(red)), RangeOfMost(std::move(blue)));
  for (const FrameLook& look : measured->looks) {
    light.tones.push_back(look.measures.tones);
  }
  return light;
}

std::string PageOf(const std::string& title,
                   const Measured& measured,
                   const std::vector<Verdict>& card) {
  std::vector<Image> thumbnails;
  for (const FrameLook& look : measured.looks) {
    thumbnails.push_back(look.thumbnail);
  }
  return ReportPage(title, measured.capture, card, thumbnails);
}

std::vector<size_t> KeptOf(const CaptureFile& capture) {
  std::vector<size_t> kept;
  for (size_t i = 0; i < capture.frames.size(); ++i) {
    if (capture.frames[i].kept) kept.push_back(i);
  }
  return kept;
}

class CheckStage : public Stage {
 public:
  explicit CheckStage(Stage* extract) : extract_(extract) {}
  std::string Name() const override { return "check"; }
  int Version() const override { return 5; }
  std::string Description() const override {
    return "measure the frames and choose which to use";
  }
  std::vector<std::string> Inputs() const override {
    return {kFrameFolder, kFrameListFile, kFrameMaskFolder};
  }
  std::vector<std::string> OptionalInputs() const override {
    return {kFrameMaskFolder};
  }
  std::vector<std::string> Outputs() const override {
    return {kCaptureFile, kCheckPage};
  }

  std::vector<OptionGroup> Options() override {
    OptionGroup group("check");
    group
        .Number("blur",
                &options_.blur,
                "drop frames whose sharpness is below this share of their "
                "neighbours' (its fourth power for photos); 0 drops none",
                0,
                1)
        .Number("duplicate",
                &options_.duplicate,
                "video: drop frames that moved less than this share of the "
                "width since the last kept one; 0 drops none",
                0,
                1)
        .Choice("thin",
                &options_.thin,
                {"auto", "yes", "no"},
                "photos: keep about as many as extract.target says, the "
                "sharpest at equal steps of image motion; auto: where they "
                "are the frames of a clip");
    return {group};
  }

  std::vector<OptionGroup> SharedOptions() override {
    LearnTarget();
    OptionGroup group("extract");
    group.Integer("target", &target_, "", 1, std::numeric_limits<int>::max());
    return {group};
  }

  StageResult Run(const StageContext& context) override {
    LearnTarget();
    const FrameList list = ReadFrameList(context.workspace / kFrameListFile);
    Measured measured = Measure(list, context);
    CaptureFile& capture = measured.capture;
    if (capture.kind != "photos") MeasureMotion(context.threads, &measured);
    const FrameCounts counts = Choose(context.threads, &measured);
    const std::vector<size_t> kept = KeptOf(capture);
    const std::vector<ComparedPair> pairs = Compare(measured, kept, context);
    const CaptureLight light = MeasureLight(kept, pairs, &measured);
    const std::vector<Verdict> card = ReportCard(capture, pairs, light);
    TellAbout(capture, counts, *context.report);
    ShowCard(card, *context.report);
    WriteFileAtomically(context.out / kCheckPage,
                        PageOf(list.source, measured, card));
    if (counts.kept < kFewestFrames) {
      StageResult failure = TooFew(capture, counts);
      failure.account.push_back("the frames and what was measured: " +
                                (context.out / kCheckPage).string());
      return failure;
    }
    WriteCaptureFile(capture, context.out / kCaptureFile);
    StageResult result =
        StageResult::Done(std::to_string(counts.kept) + " of " +
                          std::to_string(counts.frames) + " frames kept");
    result.facts["frames"]["extracted"] = counts.frames;
    result.facts["frames"]["kept"] = counts.kept;
    result.facts["check"] = CardAsJson(card);
    result.facts["results"]["check"] = kCheckPage;
    return result;
  }

 private:
  void LearnTarget() {
    if (extract_ == nullptr) return;
    target_ = std::stoi(extract_->Options().at(0).Find("target")->get());
  }

  FrameCounts Choose(int threads, Measured* measured) const {
    CaptureFile& capture = measured->capture;
    FrameCounts counts;
    counts.frames = static_cast<int64_t>(capture.frames.size());
    int64_t left = counts.frames;
    const auto dropped = [&] {
      const auto kept = static_cast<int64_t>(KeptOf(capture).size());
      return std::exchange(left, kept) - kept;
    };
    bool walk = capture.kind != "photos";
    if (walk) {
      DropOtherSizes(&capture);
      counts.other_size = dropped();
      DropDuplicates(
          options_.duplicate,
          [&](size_t i, size_t j) {
            return j == i + 1 ? capture.frames[j].motion
                              : Motion(*measured, i, j);
          },
          &capture);
      counts.duplicates = dropped();
    } else {
      walk = Thin(threads, measured);
      counts.thinned = dropped();
    }
    // Neighbouring photos need not show the same thing, and one of a plain
    // thing has a tenth of the sharpness of another, and is in focus all the
    // same.
    DropBlurred(walk ? options_.blur : std::pow(options_.blur, 4), &capture);
    counts.blurred = dropped();
    counts.kept = left;
    return counts;
  }

  // Of photos that are frames of a clip; says whether they are.
  bool Thin(int threads, Measured* measured) const {
    constexpr double kMany = 1.5;  // of the target
    const bool always = options_.thin == "yes";
    if (options_.thin == "no") return false;
    const std::vector<size_t> photos = OfMostCommonSize(measured->capture);
    const auto count = static_cast<double>(photos.size());
    if (count <= (always ? 1 : kMany) * target_) return false;
    std::vector<double> motions(photos.size(), 0.0);
    ParallelFor(
        static_cast<int64_t>(photos.size()) - 1, threads, [&](int64_t at) {
          ThrowIfInterrupted();
          const auto k = static_cast<size_t>(at);
          motions[k + 1] = Motion(*measured, photos[k], photos[k + 1]);
        });
    if (!always && !AreOfAClip(motions)) return false;
    ThinLikeAClip(photos, motions, target_, &measured->capture);
    return true;
  }

  CheckOptions options_;
  Stage* extract_;
  int target_ = 100;
};

}  // namespace

std::unique_ptr<Stage> MakeCheckStage(Stage* extract) {
  return std::make_unique<CheckStage>(extract);
}

}  // namespace nerfpipe
