#include "stages/capture/report_page.h"

#include "stages/media/jpeg.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string_view>

namespace nerfpipe {
namespace {

constexpr char kStyle[] = R"(
:root { color-scheme: light dark; --good: #2e7d46; --fair: #b26a00;
  --bad: #c0392b; --line: #8884; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem;
  max-width: 60rem; }
h1 { font-size: 1.4rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; width: 100%; margin-top: 1rem; }
td { border-top: 1px solid var(--line); padding: .45rem .8rem .45rem 0;
  vertical-align: top; }
.grade { font-weight: 600; }
.good { color: var(--good); } .fair { color: var(--fair); }
.bad { color: var(--bad); }
.advice { opacity: .75; }
.frames { display: flex; flex-wrap: wrap; gap: .5rem; }
figure { margin: 0; width: 8.5rem; }
figure img { width: 100%; display: block; border-radius: 3px; }
figure.out img { outline: 2px solid var(--bad); }
figcaption { font-size: .75rem; opacity: .8; overflow-wrap: anywhere; }
svg { width: 100%; height: 7rem; display: block; }
)";

std::string Escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string Base64(std::string_view bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 |
              (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0u);
    }
    for (size_t k = 0; k < 4; ++k) {
      text += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

std::string Figure(const CaptureFrame& frame, const Image& thumbnail) {
  constexpr int kQuality = 75;
  const std::string original =
      frame.original.empty() ? "" : " · " + frame.original;
  return "<figure" + std::string(frame.kept ? "" : " class=\"out\"") +
         "><img alt=\"\" src=\"data:image/jpeg;base64," +
         Base64(EncodeJpeg(thumbnail, kQuality, JpegChroma::kHalf)) +
         "\"><figcaption>" + Escaped(frame.name + original) +
         (frame.reason.empty() ? "" : "<br>" + Escaped(frame.reason)) +
         "</figcaption></figure>\n";
}

std::string CardTable(const std::vector<Verdict>& card) {
  std::string html = "<table>\n";
  for (const Verdict& verdict : card) {
    const std::string grade = NameOf(verdict.grade);
    html += "<tr><td>" + Escaped(verdict.item) + "</td><td class=\"grade " +
            grade + "\">" + grade + "</td><td>" + Escaped(verdict.finding);
    if (!verdict.advice.empty()) {
      html +=
          "<br><span class=\"advice\">" + Escaped(verdict.advice) + "</span>";
    }
    html += "</td></tr>\n";
  }
  return html + "</table>\n";
}

// Sharpness of every frame as a bar, dropped frames in red.
std::string SharpnessChart(const CaptureFile& capture) {
  double most = 1;
  for (const CaptureFrame& frame : capture.frames) {
    most = std::max(most, frame.sharpness);
  }
  const size_t count = capture.frames.size();
  std::string html = "<h2>Sharpness, frame by frame</h2>\n<svg viewBox=\"0 0 " +
                     std::to_string(count) +
                     " 100\" preserveAspectRatio=\"none\">\n";
  for (size_t i = 0; i < count; ++i) {
    const CaptureFrame& frame = capture.frames[i];
    const double height = 100 * frame.sharpness / most;
    char bar[160];
    std::snprintf(bar,
                  sizeof(bar),
                  "<rect x=\"%zu\" y=\"%.1f\" width=\"0.8\" height=\"%.1f\" "
                  "fill=\"var(--%s)\"><title>",
                  i,
                  100 - height,
                  height,
                  frame.kept ? "good" : "bad");
    html += bar + Escaped(frame.name) + "</title></rect>\n";
  }
  return html + "</svg>\n";
}

std::string Gallery(const CaptureFile& capture,
                    const std::vector<std::string>& names,
                    const std::vector<Image>& thumbnails) {
  std::string html = "<div class=\"frames\">\n";
  for (size_t i = 0; i < capture.frames.size(); ++i) {
    if (std::find(names.begin(), names.end(), capture.frames[i].name) !=
        names.end()) {
      html += Figure(capture.frames[i], thumbnails[i]);
    }
  }
  return html + "</div>\n";
}

// At most so many, spread evenly.
std::vector<std::string> Thinned(std::vector<std::string> names) {
  constexpr size_t kMost = 60;
  if (names.size() <= kMost) return names;
  std::vector<std::string> some;
  for (size_t i = 0; i < kMost; ++i) {
    some.push_back(names[i * names.size() / kMost]);
  }
  return some;
}

std::string Heading(Grade grade) {
  switch (grade) {
    case Grade::kGood:
      return "This capture should work.";
    case Grade::kFair:
      return "This capture can work; what is fair below will show.";
    case Grade::kBad:
      break;
  }
  return "This capture will probably fail.";
}

}  // namespace

std::string ReportPage(const std::string& title,
                       const CaptureFile& capture,
                       const std::vector<Verdict>& card,
                       const std::vector<Image>& thumbnails) {
  const Grade overall = Overall(card);
  std::string html =
      "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>" +
      Escaped(title) + "</title>\n<style>" + kStyle +
      "</style></head>\n<body>\n<h1>" + Escaped(title) + "</h1>\n<p class=\"" +
      NameOf(overall) + "\">" + Heading(overall) + "</p>\n" + CardTable(card);
  for (const Verdict& verdict : card) {
    if (verdict.frames.empty()) continue;
    html += "<h2>" + Escaped(verdict.item) + ": the frames concerned</h2>\n" +
            Gallery(capture, Thinned(verdict.frames), thumbnails);
  }
  html += SharpnessChart(capture) + "<h2>What is used</h2>\n" +
          Gallery(capture, Thinned(capture.KeptNames()), thumbnails);
  return html + "</body>\n</html>\n";
}

}  // namespace nerfpipe
