// Which frames check drops, what it writes of them, and what it says.

#include "pipeline/base/atomic_file.h"
#include "stages/media/image_file.h"
#include "tests/stages/capture/stage_fixture.h"
#include "tests/stages/media/test_pictures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A view some way along a walk, with texture as fine as three pixels; weaker in
// contrast, or darker.
Image View(double way, double contrast = 1, double light = 1) {
  Image image = TestPicture(320, 200, way, 0.4 * way);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const double texture =
          40 * std::sin(2.3 * (x + way)) * std::cos(2.1 * (y + 0.4 * way));
      for (int c = 0; c < 3; ++c) {
        uint8_t& value = image.At(x, y)[c];
        const double mixed = 128 + contrast * (value + texture - 128.0);
        value = static_cast<uint8_t>(std::clamp(light * mixed, 0.0, 255.0));
      }
    }
  }
  return image;
}

class Check : public CaptureStages {
 protected:
  // Writes frames/ and frames.json as extract does.
  void Frames(const std::vector<Image>& pictures, bool video = true) {
    std::filesystem::create_directories(Frame(""));
    FrameList list;
    list.source = "a <walk>.mp4";
    list.video = video;
    list.frames_per_second = 30;
    for (size_t i = 0; i < pictures.size(); ++i) {
      ListedFrame frame;
      frame.name = FrameName(static_cast<int64_t>(i) + 1, 1, ".png");
      frame.index = static_cast<int64_t>(7 * i + 2);
      frame.time = 0.31 * static_cast<double>(i) + 0.04;
      if (!video) frame.original = "IMG_" + std::to_string(i) + ".JPG";
      WriteImage(pictures[i], Frame(frame.name));
      list.frames.push_back(frame);
    }
    WriteFrameList(list, context_.workspace / kFrameListFile);
  }

  StageResult Run(const std::string& blur = "", const std::string& same = "") {
    const std::unique_ptr<Stage> stage = MakeCheckStage();
    if (!blur.empty()) Set(*stage, "blur", blur);
    if (!same.empty()) Set(*stage, "duplicate", same);
    return stage->Run(context_);
  }
};

std::vector<Image> Walk(int count) {
  std::vector<Image> pictures;
  for (int i = 0; i < count; ++i) pictures.push_back(View(3 * i));
  return pictures;
}

TEST_F(Check, WritesWhatItMeasured) {
  const std::vector<Image> pictures = Walk(12);
  Frames(pictures);
  const StageResult result = Run();
  EXPECT_EQ(result.line, "12 of 12 frames kept");
  const CaptureFile capture = Capture();
  ASSERT_EQ(capture.frames.size(), 12u);
  for (size_t i = 0; i < 12; ++i) {
    const CaptureFrame& frame = capture.frames[i];
    EXPECT_EQ(frame.name, FrameName(static_cast<int64_t>(i) + 1, 1, ".png"));
    EXPECT_EQ(frame.index, static_cast<int64_t>(7 * i + 2));
    EXPECT_NEAR(frame.time, 0.31 * static_cast<double>(i) + 0.04, 1e-9);
    EXPECT_EQ(frame.width, 320);
    EXPECT_EQ(frame.height, 200);
    double luma = 0;
    for (size_t k = 0; k < pictures[i].pixels.size(); k += 3) {
      const uint8_t* rgb = &pictures[i].pixels[k];
      luma += 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
    }
    EXPECT_NEAR(frame.exposure, luma / 255 / (320 * 200), 2e-3);
    EXPECT_NEAR(frame.motion, i == 0 ? 0 : 3 * std::hypot(1, 0.4) / 320, 2e-3);
    EXPECT_GT(frame.sharpness, 20);
    EXPECT_NEAR(frame.relative_sharpness, 1, 0.3);
  }
  EXPECT_EQ(result.facts["frames"]["extracted"], 12);
  EXPECT_EQ(result.facts["frames"]["kept"], 12);
  EXPECT_EQ(result.facts["results"]["check"], "check.html");
}

double Linear(double value) { return std::pow((value + 0.055) / 1.055, 2.4); }

// The same picture under other light, by channel: sRGB.
Image Under(Image image, const std::array<double, 3>& gains) {
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    // Light and shade enough to be seen, and nothing that burns out.
    const double light = Linear(0.1 + 0.45 * image.pixels[i] / 255);
    image.pixels[i] = static_cast<uint8_t>(
        255 * (1.055 * std::pow(gains[i % 3] * light, 1 / 2.4) - 0.055) + 0.5);
  }
  return image;
}

TEST_F(Check, ExposureDriftIsInStopsFromTheMedian) {
  // A tenth of a stop more from frame to frame, and one that is off on its own.
  std::vector<Image> pictures;
  std::vector<double> stops;
  for (int i = 0; i < 15; ++i) {
    stops.push_back(i == 9 ? -0.7 : 0.1 * (i - 7));
    const double gain = std::exp2(stops.back());
    pictures.push_back(Under(View(3 * i), {gain, gain, gain}));
  }
  for (const bool video : {true, false}) {
    Frames(pictures, video);
    const StageResult result = Run("0", "0");
    const CaptureFile capture = Capture();
    for (size_t i = 0; i < 15; ++i) {
      EXPECT_NEAR(
          capture.frames[i].exposure_drift - capture.frames[7].exposure_drift,
          stops[i],
          0.1)
          << i;
    }
    EXPECT_EQ(result.facts["check"]["items"][2]["item"], "exposure");
    EXPECT_EQ(result.facts["check"]["items"][2]["verdict"], "fair");
  }
}

TEST_F(Check, AThingThatFillsMoreOfItsGroundIsNoChangeOfLight) {
  // Of a dark wall the light one beside it covers more and more.
  std::vector<Image> pictures;
  for (int i = 0; i < 15; ++i) {
    Image picture = Under(View(3 * i), {0.06, 0.06, 0.06});
    const Image light = Under(View(3 * i + 500), {1, 1, 1});
    for (int y = 0; y < picture.height; ++y) {
      for (int x = 0; x < 40 + 16 * i; ++x) {
        std::copy_n(light.At(x, y), 3, picture.At(x, y));
      }
    }
    pictures.push_back(picture);
  }
  Frames(pictures);
  EXPECT_THAT(Run("0", "0").facts["check"]["items"][2]["finding"],
              AnyOf("changes by 0.0 stops", "changes by 0.1 stops"));
}

TEST_F(Check, ColourDriftIsThatOfTheKeptFrames) {
  // A third of the frames under red light, with a quarter of the blue.
  std::vector<Image> pictures;
  for (int i = 0; i < 15; ++i) {
    pictures.push_back(Under(View(3 * i), {1, 1, i < 5 ? 0.25 : 1.0}));
  }
  Frames(pictures);
  const auto finding = [&](const std::string& verdict) {
    const nlohmann::ordered_json item =
        Run("0", "0").facts["check"]["items"][3];
    EXPECT_EQ(item["item"], "white balance");
    EXPECT_EQ(item["verdict"], verdict);
    return item["finding"].get<std::string>();
  };
  EXPECT_THAT(finding("fair"), AnyOf(HasSubstr("2.0"), HasSubstr("1.9")));
  // As frames of another size they are left out.
  for (size_t i = 0; i < 5; ++i) {
    Image cut(320, 100, 3);
    std::copy_n(
        pictures[i].pixels.begin(), cut.pixels.size(), cut.pixels.begin());
    pictures[i] = cut;
  }
  Frames(pictures);
  EXPECT_THAT(finding("good"), HasSubstr("changes by 0.0 stops"));
}

TEST_F(Check, ADarkCaptureIsSaidToBe) {
  std::vector<Image> pictures;
  for (int i = 0; i < 12; ++i) {
    pictures.push_back(View(3 * i, 1, 0.1));
  }
  Frames(pictures);
  const nlohmann::ordered_json card = Run().facts["check"]["items"];
  EXPECT_EQ(card[1]["verdict"], "good") << card[1];
  EXPECT_EQ(card[2]["verdict"], "bad");
  EXPECT_THAT(card[2]["finding"].get<std::string>(),
              HasSubstr("12 of 12 frames are too dark"));
}

TEST_F(Check, OnlyWhatTheMasksShowIsMeasured) {
  // Beside the mask it is as light as can be.
  std::vector<Image> pictures;
  Image mask(320, 200, 1);
  for (int i = 0; i < 12; ++i) {
    Image picture = View(3 * i);
    for (int y = 0; y < 200; ++y) {
      for (int x = 0; x < 320; ++x) {
        const bool shown = x < 170;
        *mask.At(x, y) = shown ? 255 : 0;
        if (!shown) std::fill_n(picture.At(x, y), 3, 255);
      }
    }
    pictures.push_back(picture);
  }
  Frames(pictures);
  EXPECT_EQ(Run().facts["check"]["items"][2]["verdict"], "fair");
  const std::filesystem::path masks = context_.workspace / kFrameMaskFolder;
  std::filesystem::create_directories(masks);
  for (const CaptureFrame& frame : Capture().frames)
    WriteImage(mask, masks / frame.name);
  EXPECT_EQ(Run().facts["check"]["items"][2]["verdict"], "good");
}

TEST_F(Check, BlurIsAShareOfTheNeighboursSharpness) {
  // Half the contrast is a quarter of the variance.
  std::vector<Image> pictures = Walk(12);
  pictures[5] = View(15, 0.5);
  Frames(pictures);
  Run("0.4");
  EXPECT_THAT(Dropped(), ElementsAre(HasSubstr("00006.png: blurred: 2")));
  EXPECT_NEAR(Capture().frames[5].relative_sharpness, 0.25, 0.05);
  Run("0.15");
  EXPECT_THAT(Dropped(), IsEmpty());
  Run("0");
  EXPECT_THAT(Dropped(), IsEmpty());
}

TEST_F(Check, PhotosAreHeldAgainstItsFourthPower) {
  // 0.6 of the neighbours' sharpness would do in a video; of photos 0.13 does.
  std::vector<Image> pictures = Walk(12);
  pictures[4] = View(12, 0.6);   // 0.36
  pictures[8] = View(24, 0.25);  // 0.06
  Frames(pictures, false);
  Run("0.6");
  EXPECT_THAT(Dropped(), ElementsAre(HasSubstr("00009.png: blurred")));
  EXPECT_EQ(Capture().kind, "photos");
  EXPECT_EQ(Capture().frames[8].original, "IMG_8.JPG");
  Frames(pictures, true);
  Run("0.6", "0");
  EXPECT_THAT(Dropped(),
              ElementsAre(HasSubstr("00005.png"), HasSubstr("00009.png")));
}

TEST_F(Check, DuplicatesAreThoseThatHardlyMoved) {
  // Steps of 3 pixels of 320, and two of 0.3 each before the sixth frame.
  std::vector<Image> pictures = Walk(14);
  pictures[5] = View(12.3);
  pictures[6] = View(12.6);
  Frames(pictures);
  Run("0", "0.006");
  EXPECT_THAT(Dropped(),
              ElementsAre("00006.png: same view as 00005.png",
                          "00007.png: same view as 00005.png"));
  Run("0", "0.0005");
  EXPECT_THAT(Dropped(), IsEmpty());
  // Nothing is a duplicate at 0, not even the same picture.
  pictures[5] = pictures[6] = View(15);
  Frames(pictures);
  Run("0", "0");
  EXPECT_THAT(Dropped(), IsEmpty());
  Run("0", "0.001");
  EXPECT_THAT(Dropped(), ElementsAre("00007.png: same view as 00006.png"));
}

TEST_F(Check, PhotosThatLookAlikeAreAllKept) {
  std::vector<Image> pictures = Walk(12);
  pictures[5] = pictures[4];
  Frames(pictures, false);
  Run("0", "1");
  EXPECT_THAT(Dropped(), IsEmpty());
  EXPECT_EQ(Capture().frames[6].motion, 0);  // photos have no order
}

TEST_F(Check, EightFramesAreEnoughAndSevenAreNot) {
  std::vector<Image> pictures = Walk(8);
  Frames(pictures);
  EXPECT_EQ(Run("0").state, StageResult::State::kDone);
  std::filesystem::remove(context_.workspace / "capture.json");
  pictures[3] = pictures[2];
  Frames(pictures);
  const StageResult result = Run("0");
  EXPECT_EQ(result.state, StageResult::State::kFailed);
  EXPECT_EQ(
      result.line,
      "only 7 of 8 frames can be used (1 shows the same view as another), "
      "and at least 8 are needed; film longer while moving, or take more "
      "frames with extract.every or extract.target");
  EXPECT_THAT(result.account,
              ElementsAre("00004.png: same view as 00003.png",
                          "the frames and what was measured: " +
                              (context_.workspace / "check.html").string()));
  EXPECT_FALSE(std::filesystem::exists(context_.workspace / "capture.json"));
  EXPECT_TRUE(std::filesystem::exists(context_.workspace / "check.html"));
}

TEST_F(Check, EachReasonIsCounted) {
  std::vector<Image> pictures = Walk(9);
  pictures[2] = pictures[1];
  pictures[6] = View(18, 0.3);
  pictures[8] = TestPicture(200, 320, 24);
  Frames(pictures);
  const StageResult result = Run();
  EXPECT_THAT(result.line,
              HasSubstr("only 6 of 9 frames can be used (1 shows the same view "
                        "as another, 1 blurred, 1 of another size)"));
  EXPECT_THAT(ears_.warnings,
              Contains("1 frame left out: size 200x320, most are 320x200; run "
                       "those of another size as a capture of their own"));
  EXPECT_THAT(ears_.details,
              ElementsAre("00003.png: same view as 00002.png",
                          HasSubstr("00007.png: blurred"),
                          HasSubstr("00009.png: size 200x320")));
}

TEST_F(Check, PhotosOfOtherSizesAreKept) {
  std::vector<Image> pictures = Walk(9);
  const auto sizes = [&] {
    Frames(pictures, false);
    ears_.infos.clear();
    EXPECT_EQ(Run("0").line, "9 of 9 frames kept");
    std::vector<std::string> lines;
    for (const std::string& line : ears_.infos) {
      if (line.find("sizes") != std::string::npos) lines.push_back(line);
    }
    return lines;
  };
  EXPECT_THAT(sizes(), IsEmpty());
  pictures[2] = pictures[7] = TestPicture(200, 320, 24);
  EXPECT_THAT(sizes(),
              ElementsAre("9 photos of 2 sizes (2 of 200x320, 7 of 320x200): "
                          "each size gets a camera of its own"));
  for (int i = 0; i < 9; ++i) {
    pictures[static_cast<size_t>(i)] = TestPicture(300 - 7 * i, 200 - 3 * i, i);
  }
  EXPECT_THAT(sizes(),
              ElementsAre("9 photos of 9 sizes: each size gets a camera of its "
                          "own"));
  EXPECT_EQ(Capture().frames[8].height, 176);
  EXPECT_THAT(ears_.warnings, Not(Contains(HasSubstr("size"))));
}

TEST_F(Check, FramesOfAClipAsPhotosAreThinned) {
  // 30 frames that move by three in a thousand of the width each.
  std::vector<Image> pictures;
  for (int i = 0; i < 30; ++i) pictures.push_back(View(0.9 * i));
  Frames(pictures, false);
  const auto kept = [&](const char* thin, const char* target) {
    const std::unique_ptr<Stage> extract = MakeExtractStage();
    Set(*extract, "target", target);
    const std::unique_ptr<Stage> stage = MakeCheckStage(extract.get());
    Set(*stage, "thin", thin);
    EXPECT_EQ(stage->Run(context_).state, StageResult::State::kDone);
    return Capture().KeptNames().size();
  };
  EXPECT_EQ(kept("auto", "10"), 10u);
  EXPECT_THAT(ears_.infos,
              Contains(AllOf(HasSubstr("20 of 30 photos left out: they are "
                                       "frames of a clip"),
                             HasSubstr("check.thin=no"))));
  EXPECT_THAT(Dropped(),
              Contains(HasSubstr("00001.png: hardly another view than 0000")));
  EXPECT_EQ(kept("no", "10"), 30u);
  // Not so many that they have to be fewer.
  EXPECT_EQ(kept("auto", "20"), 30u);
  EXPECT_EQ(kept("yes", "20"), 20u);
  // Each another view.
  for (int i = 0; i < 30; ++i) {
    pictures[static_cast<size_t>(i)] = View(17 * i);
  }
  Frames(pictures, false);
  EXPECT_EQ(kept("auto", "8"), 30u);
  EXPECT_LE(kept("yes", "8"), 24u);
}

TEST_F(Check, ClipsAreNotComparedAcrossTheirBorder) {
  // The second begins with the last view of the first.
  std::vector<Image> pictures = Walk(8);
  for (int i = 0; i < 8; ++i) pictures.push_back(View(21 + 3 * i));
  Frames(pictures);
  FrameList list = Listed();
  for (size_t i = 0; i < 16; ++i) list.frames[i].clip = i < 8 ? "b" : "a";
  WriteFrameList(list, context_.workspace / kFrameListFile);
  const StageResult result = Run();
  EXPECT_EQ(result.line, "16 of 16 frames kept");
  EXPECT_EQ(result.facts["check"]["items"].size(), 7u);
  EXPECT_EQ(Capture().kind, "clips");
  EXPECT_EQ(Capture().frames[8].motion, 0);
  EXPECT_GT(Capture().frames[9].motion, 0.005);
}

TEST_F(Check, TheCardIsShownWrittenAndOnThePage) {
  // Too few, too dark at its end.
  std::vector<Image> pictures = Walk(12);
  for (size_t i = 9; i < 12; ++i) {
    pictures[i] = View(3.0 * static_cast<double>(i), 1, 0.3);
  }
  Frames(pictures);
  const StageResult result = Run("0", "0");
  const nlohmann::ordered_json& card = result.facts["check"];
  ASSERT_EQ(card["items"].size(), 8u);
  EXPECT_EQ(card["items"][0]["item"], "amount");
  EXPECT_EQ(card["items"][0]["verdict"], "fair");
  EXPECT_EQ(card["items"][0]["finding"], "12 frames can be used");
  EXPECT_EQ(card["items"][2]["verdict"], "bad");
  EXPECT_EQ(card["verdict"], "bad");
  ASSERT_EQ(ears_.tables.size(), 1u);
  ASSERT_EQ(ears_.tables[0].rows.size(), 8u);
  EXPECT_THAT(ears_.tables[0].rows[0],
              ElementsAre("amount", "fair", "12 frames can be used"));
  EXPECT_THAT(ears_.tables[0].rows[2],
              ElementsAre("exposure", "bad", HasSubstr("stops")));
  // What is bad warns, what is fair is only said.
  EXPECT_THAT(ears_.warnings, Contains(HasSubstr("exposure: ")));
  EXPECT_THAT(ears_.infos, Contains(HasSubstr("amount: ")));
  EXPECT_THAT(ears_.warnings, Not(Contains(HasSubstr("amount: "))));
  const std::string page = ReadFile(context_.workspace / "check.html");
  EXPECT_THAT(page, HasSubstr("<h1>a &lt;walk&gt;.mp4</h1>"));
  EXPECT_THAT(page, HasSubstr("<p class=\"bad\">"));
  EXPECT_THAT(page, HasSubstr("<figcaption>00012.png</figcaption>"));
}

TEST_F(Check, FrameListOfExtractIsNeeded) {
  try {
    Run();
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("frames.json"));
  }
  Frames(Walk(2));
  WriteFileAtomically(context_.workspace / kFrameListFile, "{\"source\": 3}");
  try {
    Run();
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.problem(), HasSubstr("frames.json' is damaged"));
    EXPECT_EQ(error.remedy(), "run the extract stage again");
  }
}

TEST(FrameName, HasAtLeastFiveDigits) {
  EXPECT_EQ(FrameName(1, 10, ".jpg"), "00001.jpg");
  EXPECT_EQ(FrameName(99999, 99999, ""), "99999");
  // More when the last of them needs more: they sort as text.
  EXPECT_EQ(FrameName(7, 100000, ".png"), "000007.png");
  EXPECT_EQ(FrameName(100000, 100000, ".png"), "100000.png");
}

}  // namespace
}  // namespace nerfpipe
