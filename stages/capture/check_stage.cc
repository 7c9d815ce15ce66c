#include "stages/capture/check_stage.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "stages/capture/frame_choice.h"
#include "stages/capture/frame_list.h"
#include "stages/capture/frame_measures.h"
#include "stages/capture/report_card.h"
#include "stages/capture/report_page.h"
#include "stages/common/capture_file.h"
#include "stages/media/image_file.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

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
  int threads = context.threads;
  if (total > 0) {
    const ImageSize size = ReadImageSize(folder / list.frames[0].name);
    threads = context.ThreadsFor(kBytesToMeasure * size.width * size.height);
  }
  ParallelFor(total, threads, [&](int64_t index) {
    ThrowIfInterrupted();
    const auto i = static_cast<size_t>(index);
    const ListedFrame& listed = list.frames[i];
    result.looks[i] = LookAtFrame(folder / listed.name);
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

void MeasureMotion(int threads, Measured* measured) {
  std::vector<CaptureFrame>& frames = measured->capture.frames;
  const auto pairs = static_cast<int64_t>(frames.size()) - 1;
  ParallelFor(pairs, threads, [&](int64_t pair) {
    ThrowIfInterrupted();
    const auto i = static_cast<size_t>(pair);
    if (frames[i].clip != frames[i + 1].clip) return;
    frames[i + 1].motion =
        MotionBetween(measured->looks[i].measures.thumbnail,
                      measured->looks[i + 1].measures.thumbnail);
  });
}

LightDrift MeasureDrift(Measured* measured) {
  std::vector<double> light;
  std::vector<double> red;
  std::vector<double> blue;
  for (size_t i = 0; i < measured->looks.size(); ++i) {
    const FrameLook& look = measured->looks[i];
    light.push_back(look.measures.light);
    if (!measured->capture.frames[i].kept) continue;
    red.push_back(look.red);
    blue.push_back(look.blue);
  }
  return {MeasureExposureDrift(light, &measured->capture),
          std::max(RangeOfMost(std::move(red)), RangeOfMost(std::move(blue)))};
}

ComparedViews Compare(const Measured& measured, const StageContext& context) {
  std::vector<ViewPoints> views;
  for (size_t i = 0; i < measured.looks.size(); ++i) {
    if (measured.capture.frames[i].kept) {
      views.push_back(measured.looks[i].points);
    }
  }
  ComparedViews compared;
  if (views.empty()) return compared;
  compared.width = views[0].width;
  compared.height = views[0].height;
  compared.pairs =
      CompareCapture(views, measured.capture.kind == "video", context.threads);
  return compared;
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

void ShowCard(const std::vector<Verdict>& card, Report& report) {
  Table table;
  table.header = {"capture", "verdict", "what was found"};
  for (const Verdict& verdict : card) {
    table.rows.push_back(
        {verdict.item, NameOf(verdict.grade), verdict.finding});
  }
  report.Show(table);
  for (const Verdict& verdict : card) {
    if (verdict.advice.empty()) continue;
    const std::string line = verdict.item + ": " + verdict.advice;
    if (verdict.grade == Grade::kBad) {
      report.Warn(line);
    } else {
      report.Info(line);
    }
  }
}

nlohmann::ordered_json CardAsJson(const std::vector<Verdict>& card) {
  nlohmann::ordered_json items = nlohmann::ordered_json::array();
  for (const Verdict& verdict : card) {
    items.push_back({{"item", verdict.item},
                     {"verdict", NameOf(verdict.grade)},
                     {"finding", verdict.finding},
                     {"advice", verdict.advice},
                     {"frames", verdict.frames}});
  }
  return {{"verdict", NameOf(Overall(card))}, {"items", items}};
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

void TellAbout(const CaptureFile& capture, Report& report) {
  for (const std::string& line : Reasons(capture)) report.Detail(line);
  std::map<std::string, int64_t> sizes;
  for (const CaptureFrame& frame : capture.frames) {
    if (frame.reason.starts_with("size ")) ++sizes[frame.reason];
  }
  for (const auto& [reason, count] : sizes) {
    report.Warn(std::to_string(count) + " left out: " + reason +
                "; a capture has one camera held one way, so run the "
                "others as a capture of their own");
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
          std::to_string(kFewestFrames) + " are needed; " + remedy,
      Reasons(capture));
}

class CheckStage : public Stage {
 public:
  std::string Name() const override { return "check"; }
  int Version() const override { return 4; }
  std::string Description() const override {
    return "measure the frames and choose which to use";
  }
  std::vector<std::string> Inputs() const override {
    return {kFrameFolder, kFrameListFile};
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
                1);
    return {group};
  }

  StageResult Run(const StageContext& context) override {
    const FrameList list = ReadFrameList(context.workspace / kFrameListFile);
    Measured measured = Measure(list, context);
    CaptureFile& capture = measured.capture;
    if (list.video) MeasureMotion(context.threads, &measured);
    const Counts counts = Choose(&measured);
    const LightDrift drift = MeasureDrift(&measured);
    const std::vector<Verdict> card =
        ReportCard(capture, Compare(measured, context), drift);
    TellAbout(capture, *context.report);
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
  Counts Choose(Measured* measured) const {
    CaptureFile& capture = measured->capture;
    const bool video = capture.kind != "photos";
    Counts counts;
    counts.frames = static_cast<int64_t>(capture.frames.size());
    DropOtherSizes(&capture);
    const int64_t of_one_size = CountKept(capture);
    if (video) {
      DropDuplicates(
          options_.duplicate,
          [&](size_t i, size_t j) {
            if (capture.frames[i].clip != capture.frames[j].clip) return 1.0;
            return j == i + 1
                       ? capture.frames[j].motion
                       : MotionBetween(measured->looks[i].measures.thumbnail,
                                       measured->looks[j].measures.thumbnail);
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
