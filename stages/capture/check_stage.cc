#include "stages/capture/check_stage.h"

#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "stages/capture/frame_choice.h"
#include "stages/capture/frame_list.h"
#include "stages/capture/frame_measures.h"
#include "stages/common/capture_file.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace nerfpipe {
namespace {

constexpr char kCaptureFile[] = "capture.json";
constexpr int64_t kFewest = 8;
constexpr int64_t kFew = 40;
constexpr double kDriftWorthAWarning = 1;  // stops

std::string Number(double value, const char* format) {
  char text[40];
  std::snprintf(text, sizeof(text), format, value);
  return text;
}

// What the measuring of all frames gave, frame by frame.
struct Measured {
  CaptureFile capture;
  std::vector<FrameMeasures> measures;
};

Measured Measure(const FrameList& list, const StageContext& context) {
  Measured result;
  result.capture.kind = list.video ? "video" : "photos";
  result.capture.frames.resize(list.frames.size());
  result.measures.resize(list.frames.size());
  const auto total = static_cast<int64_t>(list.frames.size());
  const std::unique_ptr<Progress> progress =
      context.report->Start("measuring", total, "frames");
  std::atomic<int64_t> done = 0;
  const std::filesystem::path folder = context.workspace / kFrameFolder;
  ParallelFor(total, context.threads, [&](int64_t index) {
    ThrowIfInterrupted();
    const auto i = static_cast<size_t>(index);
    const ListedFrame& listed = list.frames[i];
    FrameMeasures& measures = result.measures[i];
    measures = MeasureFrame(folder / listed.name);
    CaptureFrame& frame = result.capture.frames[i];
    frame.name = listed.name;
    frame.original = listed.original;
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

void MeasureMotion(int threads, Measured* measured) {
  std::vector<CaptureFrame>& frames = measured->capture.frames;
  const auto pairs = static_cast<int64_t>(frames.size()) - 1;
  ParallelFor(pairs, threads, [&](int64_t pair) {
    ThrowIfInterrupted();
    const auto i = static_cast<size_t>(pair);
    frames[i + 1].motion = MotionBetween(measured->measures[i].thumbnail,
                                         measured->measures[i + 1].thumbnail);
  });
}

struct Counts {
  int64_t frames = 0;
  int64_t kept = 0;
  int64_t other_size = 0;
  int64_t duplicates = 0;
  int64_t blurred = 0;
};

int64_t CountKept(const CaptureFile& capture) {
  return std::count_if(capture.frames.begin(),
                       capture.frames.end(),
                       [](const CaptureFrame& frame) { return frame.kept; });
}

void ShowTable(const CaptureFile& capture,
               const Counts& counts,
               double drift,
               Report& report) {
  std::vector<double> sharpness;
  for (const CaptureFrame& frame : capture.frames) {
    if (frame.kept) sharpness.push_back(frame.sharpness);
  }
  std::sort(sharpness.begin(), sharpness.end());
  const bool none = sharpness.empty();
  const double least = none ? 0 : sharpness.front();
  const double median = none ? 0 : sharpness[sharpness.size() / 2];
  report.Show({{"frames",
                "kept",
                "blurred",
                "duplicates",
                "other size",
                "sharpness min",
                "median",
                "exposure drift"},
               {{std::to_string(counts.frames),
                 std::to_string(counts.kept),
                 std::to_string(counts.blurred),
                 std::to_string(counts.duplicates),
                 std::to_string(counts.other_size),
                 Number(least, "%.0f"),
                 Number(median, "%.0f"),
                 Number(drift, "%.2f stops")}}});
}

std::vector<std::string> Reasons(const CaptureFile& capture) {
  std::vector<std::string> lines;
  for (const CaptureFrame& frame : capture.frames) {
    if (frame.kept) continue;
    const std::string original =
        frame.original.empty() ? "" : " (" + frame.original + ")";
    lines.push_back(frame.name + original + ": " + frame.reason);
  }
  return lines;
}

void TellAbout(const CaptureFile& capture,
               const Counts& counts,
               double drift,
               Report& report) {
  for (const std::string& line : Reasons(capture)) report.Detail(line);
  if (counts.other_size > 0) {
    std::map<std::string, int64_t> reasons;
    for (const CaptureFrame& frame : capture.frames) {
      if (frame.reason.starts_with("size ")) ++reasons[frame.reason];
    }
    for (const auto& [reason, count] : reasons) {
      report.Warn(std::to_string(count) + " left out: " + reason +
                  "; a capture has one camera held one way, so run the "
                  "others as a capture of their own");
    }
  }
  if (drift > kDriftWorthAWarning) {
    report.Warn("the exposure drifts by " + Number(drift, "%.1f") +
                " stops, which shows as fog in the result; lock exposure and "
                "white balance when filming");
  }
  if (counts.kept >= kFewest && counts.kept < kFew) {
    report.Warn("only " + std::to_string(counts.kept) +
                " frames: holes are likely; 40 or more from all round are "
                "better");
  }
}

StageResult TooFew(const CaptureFile& capture, const Counts& counts) {
  const std::string kept = std::to_string(counts.kept);
  if (counts.duplicates > 0 && counts.kept + counts.blurred <= 1) {
    return StageResult::Failed(
        "the camera does not move: all " + std::to_string(counts.frames) +
            " frames show the same view; film while walking round the "
            "subject",
        Reasons(capture));
  }
  std::string why;
  const auto add = [&why](int64_t count, const char* what) {
    if (count == 0) return;
    why += (why.empty() ? " (" : ", ") + std::to_string(count) + what;
  };
  add(counts.duplicates, " show the same view as another");
  add(counts.blurred, " blurred");
  add(counts.other_size, " of another size");
  if (!why.empty()) why += ")";
  const std::string remedy =
      capture.kind == "video"
          ? "film longer while moving, or take more frames with "
            "extract.every or extract.target"
          : "add photos that overlap, all from the same camera held the same "
            "way";
  return StageResult::Failed(
      "only " + kept + " of " + std::to_string(counts.frames) +
          " frames can be used" + why + ", and at least " +
          std::to_string(kFewest) + " are needed; " + remedy,
      Reasons(capture));
}

class CheckStage : public Stage {
 public:
  std::string Name() const override { return "check"; }
  int Version() const override { return 2; }
  std::string Description() const override {
    return "measure the frames and choose which to use";
  }
  std::vector<std::string> Inputs() const override {
    return {kFrameFolder, kFrameListFile};
  }
  std::vector<std::string> Outputs() const override { return {kCaptureFile}; }

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
                1);
    return {group};
  }

  StageResult Run(const StageContext& context) override {
    const FrameList list = ReadFrameList(context.workspace / kFrameListFile);
    Measured measured = Measure(list, context);
    CaptureFile& capture = measured.capture;
    if (list.video) MeasureMotion(context.threads, &measured);
    const Counts counts = Choose(&measured);
    std::vector<double> light;
    for (const FrameMeasures& measures : measured.measures) {
      light.push_back(measures.light);
    }
    const double drift = MeasureExposureDrift(light, &capture);
    ShowTable(capture, counts, drift, *context.report);
    TellAbout(capture, counts, drift, *context.report);
    if (counts.kept < kFewest) return TooFew(capture, counts);
    WriteCaptureFile(capture, context.out / kCaptureFile);
    StageResult result =
        StageResult::Done(std::to_string(counts.kept) + " of " +
                          std::to_string(counts.frames) + " frames kept");
    result.facts["frames"]["extracted"] = counts.frames;
    result.facts["frames"]["kept"] = counts.kept;
    return result;
  }

 private:
  Counts Choose(Measured* measured) const {
    CaptureFile& capture = measured->capture;
    const bool video = capture.kind == "video";
    Counts counts;
    counts.frames = static_cast<int64_t>(capture.frames.size());
    DropOtherSizes(&capture);
    const int64_t of_one_size = CountKept(capture);
    if (video) {
      DropDuplicates(
          options_.duplicate,
          [&](size_t i, size_t j) {
            return j == i + 1 ? capture.frames[j].motion
                              : MotionBetween(measured->measures[i].thumbnail,
                                              measured->measures[j].thumbnail);
          },
          &capture);
    }
    const int64_t distinct = CountKept(capture);
    // Neighbouring photos need not show the same thing, and one of a plain
    // thing has a tenth of the sharpness of another, and is in focus all the
    // same.
    DropBlurred(video ? options_.blur : std::pow(options_.blur, 4), &capture);
    counts.kept = CountKept(capture);
    counts.other_size = counts.frames - of_one_size;
    counts.duplicates = of_one_size - distinct;
    counts.blurred = distinct - counts.kept;
    return counts;
  }

  CheckOptions options_;
};

}  // namespace

std::unique_ptr<Stage> MakeCheckStage() {
  return std::make_unique<CheckStage>();
}

}  // namespace nerfpipe
