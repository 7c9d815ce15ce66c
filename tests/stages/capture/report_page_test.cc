// check.html, read as a browser does.

#include "stages/capture/report_page.h"

#include "stages/media/jpeg.h"
#include "tests/stages/media/test_pictures.h"

#include <regex>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string FromBase64(const std::string& text) {
  const std::string digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t held = 0;
  int bits = 0;
  for (const char c : text) {
    if (c == '=') break;
    held = held << 6 | static_cast<uint32_t>(digits.find(c));
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>(held >> bits & 255);
    }
  }
  EXPECT_EQ(text.size() % 4, 0u);
  return bytes;
}

struct Shown {
  bool out = false;
  Image thumbnail;
  std::string caption;
};

std::vector<Shown> Figures(const std::string& html) {
  std::vector<Shown> figures;
  size_t at = 0;
  const auto between = [&](const std::string& from, const std::string& to) {
    const size_t begin = html.find(from, at) + from.size();
    at = html.find(to, begin);
    return html.substr(begin, at - begin);
  };
  while ((at = html.find("<figure", at)) != std::string::npos) {
    Shown shown;
    shown.out = between("<figure", ">").find("out") != std::string::npos;
    shown.thumbnail =
        DecodeJpeg(FromBase64(between("data:image/jpeg;base64,", "\"")));
    shown.caption = between("<figcaption>", "</figcaption>");
    figures.push_back(shown);
  }
  return figures;
}

// What stands behind the heading, up to the next one.
std::string Section(const std::string& html, const std::string& heading) {
  const size_t begin = html.find("<h2>" + heading);
  EXPECT_NE(begin, std::string::npos) << heading;
  return html.substr(begin, html.find("<h2>", begin + 4) - begin);
}

struct Case {
  CaptureFile capture;
  std::vector<Image> thumbnails;
};

Case MakeCase(int frames) {
  Case made;
  for (int i = 0; i < frames; ++i) {
    CaptureFrame frame;
    frame.name = std::to_string(i + 1) + ".jpg";
    frame.sharpness = 10.0 * (i + 1);
    made.capture.frames.push_back(frame);
    // Sizes of all three remainders by 3 in bytes come up among these.
    made.thumbnails.push_back(TestPicture(40, 26, 23 * i, 5 * i));
  }
  return made;
}

Verdict Line(const std::string& item,
             Grade grade,
             const std::vector<std::string>& frames = {}) {
  Verdict verdict;
  verdict.item = item;
  verdict.grade = grade;
  verdict.finding = "found <" + item + ">";
  if (grade != Grade::kGood) verdict.advice = "do \"" + item + "\"";
  verdict.frames = frames;
  return verdict;
}

TEST(ReportPage, SaysTheVerdictOfEachItemAndOfAll) {
  const Case made = MakeCase(3);
  const std::string html = ReportPage("Tom & <Jerry>.mp4",
                                      made.capture,
                                      {Line("sharp", Grade::kGood),
                                       Line("light", Grade::kBad),
                                       Line("orbit", Grade::kFair)},
                                      made.thumbnails);
  EXPECT_THAT(html, HasSubstr("<title>Tom &amp; &lt;Jerry&gt;.mp4</title>"));
  EXPECT_THAT(html, HasSubstr("<h1>Tom &amp; &lt;Jerry&gt;.mp4</h1>"));
  EXPECT_THAT(
      html, HasSubstr("<p class=\"bad\">This capture will probably fail.</p>"));
  EXPECT_THAT(html,
              HasSubstr("<td>sharp</td><td class=\"grade good\">good</td>"
                        "<td>found &lt;sharp&gt;</td>"));
  EXPECT_THAT(html,
              HasSubstr("<td>light</td><td class=\"grade bad\">bad</td>"
                        "<td>found &lt;light&gt;<br><span class=\"advice\">do "
                        "&quot;light&quot;</span></td>"));
  EXPECT_THAT(
      ReportPage("a", made.capture, {Line("x", Grade::kFair)}, made.thumbnails),
      HasSubstr("<p class=\"fair\">This capture can work"));
}

TEST(ReportPage, GoodCapturesAreSaidToWork) {
  EXPECT_THAT(ReportPage("a", {}, {Line("x", Grade::kGood)}, {}),
              HasSubstr("<p class=\"good\">This capture should work.</p>"));
}

TEST(ReportPage, ShowsTheFramesConcernedAndThoseUsed) {
  Case made = MakeCase(6);
  made.capture.frames[1].kept = false;
  made.capture.frames[1].reason = "blurred & dark";
  made.capture.frames[1].original = "IMG <2>.jpg";
  const std::string html =
      ReportPage("a",
                 made.capture,
                 {Line("sharp", Grade::kFair, {"2.jpg", "5.jpg"}),
                  Line("light", Grade::kGood)},
                 made.thumbnails);
  const std::vector<Shown> concerned =
      Figures(Section(html, "sharp: the frames concerned"));
  ASSERT_EQ(concerned.size(), 2u);
  EXPECT_TRUE(concerned[0].out);
  EXPECT_EQ(concerned[0].caption,
            "2.jpg · IMG &lt;2&gt;.jpg<br>blurred &amp; dark");
  EXPECT_GT(Psnr(concerned[0].thumbnail, made.thumbnails[1]), 20);
  EXPECT_FALSE(concerned[1].out);
  EXPECT_EQ(concerned[1].caption, "5.jpg");
  EXPECT_GT(Psnr(concerned[1].thumbnail, made.thumbnails[4]), 20);
  EXPECT_LT(Psnr(concerned[1].thumbnail, made.thumbnails[1]), 20);
  EXPECT_THAT(html, Not(HasSubstr("light: the frames concerned")));

  const std::vector<Shown> used = Figures(Section(html, "What is used"));
  ASSERT_EQ(used.size(), 5u);
  const std::vector<size_t> kept = {0, 2, 3, 4, 5};
  for (size_t i = 0; i < kept.size(); ++i) {
    EXPECT_EQ(used[i].caption, made.capture.frames[kept[i]].name);
    EXPECT_GT(Psnr(used[i].thumbnail, made.thumbnails[kept[i]]), 20);
  }
}

TEST(ReportPage, SixtyOfManyAreShownFromEndToEnd) {
  for (const int frames : {60, 61, 200}) {
    const Case made = MakeCase(frames);
    const std::vector<Shown> used = Figures(Section(
        ReportPage("a", made.capture, {}, made.thumbnails), "What is used"));
    ASSERT_EQ(used.size(), 60u);
    EXPECT_EQ(used[0].caption, "1.jpg");
    for (int i = 0; i < 60; ++i) {
      EXPECT_NEAR(std::stoi(used[static_cast<size_t>(i)].caption),
                  1 + i * frames / 60.0,
                  1);
    }
  }
}

TEST(ReportPage, BarsAreAsHighAsFramesAreSharp) {
  Case made = MakeCase(4);
  made.capture.frames[2].kept = false;
  const std::string chart =
      Section(ReportPage("a", made.capture, {}, made.thumbnails), "Sharpness");
  EXPECT_THAT(chart, HasSubstr("viewBox=\"0 0 4 100\""));
  const std::regex bar(
      "<rect x=\"(\\d+)\" y=\"([0-9.]+)\" width=\"0.8\" height=\"([0-9.]+)\" "
      "fill=\"var\\(--(good|bad)\\)\"><title>([^<]*)</title>");
  std::vector<std::smatch> bars;
  for (std::sregex_iterator it(chart.begin(), chart.end(), bar), end; it != end;
       ++it) {
    bars.push_back(*it);
  }
  ASSERT_EQ(bars.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    const double height = 25.0 * static_cast<double>(i + 1);
    EXPECT_EQ(bars[i][1], std::to_string(i));
    EXPECT_NEAR(std::stod(bars[i][2]), 100 - height, 0.05);
    EXPECT_NEAR(std::stod(bars[i][3]), height, 0.05);
    EXPECT_EQ(bars[i][4], i == 2 ? "bad" : "good");
    EXPECT_EQ(bars[i][5], made.capture.frames[i].name);
  }
}

TEST(ReportPage, NeedsNoOtherFile) {
  const Case made = MakeCase(2);
  const std::string html = ReportPage(
      "a", made.capture, {Line("x", Grade::kBad, {"1.jpg"})}, made.thumbnails);
  for (const char* elsewhere :
       {"http:", "https:", "<script", "<link", "url("}) {
    EXPECT_THAT(html, Not(HasSubstr(elsewhere)));
  }
  EXPECT_TRUE(html.ends_with("</body>\n</html>\n"));
}

}  // namespace
}  // namespace nerfpipe
