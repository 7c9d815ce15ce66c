#include "stages/capture/check_account.h"

#include "pipeline/base/text.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace nerfpipe {
namespace {

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

// One line where photos are of more than one size; which they are where that is
// short to say.
void TellAboutSizes(const CaptureFile& capture, Report& report) {
  constexpr size_t kFew = 3;
  std::map<std::pair<int, int>, int64_t> counts;
  int64_t photos = 0;
  for (const CaptureFrame& frame : capture.frames) {
    if (!frame.kept) continue;
    ++counts[{frame.width, frame.height}];
    ++photos;
  }
  if (counts.size() < 2) return;
  std::string which;
  for (const auto& [size, count] : counts) {
    which += (which.empty() ? " (" : ", ") + std::to_string(count) + " of " +
             std::to_string(size.first) + "x" + std::to_string(size.second);
  }
  report.Info(std::to_string(photos) + " photos of " +
              std::to_string(counts.size()) + " sizes" +
              (counts.size() <= kFew ? which + ")" : "") +
              ": each size gets a camera of its own");
}

}  // namespace

void TellAbout(const CaptureFile& capture,
               const FrameCounts& counts,
               Report& report) {
  for (const std::string& line : Reasons(capture)) report.Detail(line);
  std::map<std::string, int64_t> sizes;
  for (const CaptureFrame& frame : capture.frames) {
    if (frame.reason.starts_with("size ")) ++sizes[frame.reason];
  }
  for (const auto& [reason, count] : sizes) {
    report.Warn(Counted(count, "frame") + " left out: " + reason +
                "; run those of another size as a capture of their own");
  }
  if (capture.kind == "photos") TellAboutSizes(capture, report);
  if (counts.thinned > 0) {
    report.Info(std::to_string(counts.thinned) + " of " +
                std::to_string(counts.frames) +
                " photos left out: they are frames of a clip, and hardly "
                "another view than those beside them; check.thin=no keeps "
                "them all");
  }
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

StageResult TooFew(const CaptureFile& capture, const FrameCounts& counts) {
  const std::string kept = std::to_string(counts.kept);
  if (counts.duplicates > 0 && counts.kept + counts.blurred <= 1) {
    return StageResult::Failed(
        "the camera does not move: all " + std::to_string(counts.frames) +
            " frames show the same view; film while walking round the "
            "subject",
        Reasons(capture));
  }
  std::string why;
  const auto add = [&why](int64_t count, const std::string& what) {
    if (count == 0) return;
    why += (why.empty() ? " (" : ", ") + std::to_string(count) + what;
  };
  const auto shows = [](int64_t count) {
    return count == 1 ? " shows" : " show";
  };
  add(counts.thinned,
      shows(counts.thinned) + std::string(" hardly another view"));
  add(counts.duplicates,
      shows(counts.duplicates) + std::string(" the same view as another"));
  add(counts.blurred, " blurred");
  add(counts.other_size, " of another size");
  if (!why.empty()) why += ")";
  const std::string remedy =
      capture.kind == "photos"
          ? "add photos that overlap"
          : "film longer while moving, or take more frames with "
            "extract.every or extract.target";
  return StageResult::Failed(
      "only " + kept + " of " + std::to_string(counts.frames) +
          " frames can be used" + why + ", and at least " +
          std::to_string(kFewestFrames) + " are needed; " + remedy,
      Reasons(capture));
}

}  // namespace nerfpipe
