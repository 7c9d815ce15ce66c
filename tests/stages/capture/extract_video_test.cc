// Which frames are taken out of a clip, and what is written down of them.

#include "pipeline/base/atomic_file.h"
#include "stages/media/image_file.h"
#include "stages/media/video_writer.h"
#include "tests/scenes/clips.h"
#include "tests/stages/capture/stage_fixture.h"
#include "tests/stages/media/test_pictures.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ExtractVideo : public CaptureStages {
 protected:
  // Frame i shows number i.
  void Film(const ClipSpec& spec, const std::string& name) {
    spec_ = spec;
    context_.capture = folder_ / name;
    WriteClip(spec, context_.capture, [&](int i) {
      return NumberedPicture(i, spec.width, spec.height);
    });
  }

  // What was listed, once each picture is found to be the frame of the clip
  // that the list says, and its time that frame's.
  std::vector<int64_t> Extract(Stage& stage) {
    std::filesystem::remove_all(context_.workspace / kFrameFolder);
    result_ = stage.Run(context_);
    std::vector<int64_t> indices;
    for (const ListedFrame& frame : Listed().frames) {
      const auto at = static_cast<size_t>(frame.index);
      EXPECT_EQ(NumberIn(ReadImage(Frame(frame.name))), frame.index);
      EXPECT_NEAR(frame.time,
                  static_cast<double>(spec_.stamps.at(at) - spec_.stamps[0]) /
                      spec_.ticks,
                  1e-9);
      indices.push_back(frame.index);
      EXPECT_EQ(frame.name,
                FrameName(static_cast<int64_t>(indices.size()), 1, ".jpg"));
    }
    return indices;
  }

  ClipSpec spec_;
  StageResult result_;
};

ClipSpec Small(int frames) {
  ClipSpec spec;
  spec.width = 114;
  spec.height = 30;
  spec.stamps = UnevenStamps(frames, 700);
  return spec;
}

TEST_F(ExtractVideo, ALongClipIsUsedFromEndToEnd) {
  // More frames than are surveyed: every other one is.
  constexpr int kFrames = 1507;
  constexpr int kTarget = 11;
  ClipSpec spec = Small(kFrames);
  spec.width = 156;
  spec.height = 20;
  spec.ticks = 600;
  Film(spec, "long.mp4");
  const std::unique_ptr<Stage> stage = MakeExtractStage();
  Set(*stage, "target", std::to_string(kTarget));
  const std::vector<int64_t> chosen = Extract(*stage);
  // It moves evenly; there may be more frames, since it moves far.
  ASSERT_GE(chosen.size(), static_cast<size_t>(kTarget));
  const double part = static_cast<double>(kFrames) / chosen.size();
  for (size_t i = 0; i < chosen.size(); ++i) {
    EXPECT_NEAR(chosen[i], part * (static_cast<double>(i) + 0.5), part);
  }
  EXPECT_THAT(result_.line, HasSubstr(" of 1507 frames of the video"));
}

TEST_F(ExtractVideo, NumbersAndTimesReachTheCaptureFile) {
  Film(Small(30), "a.mkv");
  const std::unique_ptr<Stage> stage = MakeExtractStage();
  Set(*stage, "every", "3");
  EXPECT_THAT(Extract(*stage), ElementsAre(0, 3, 6, 9, 12, 15, 18, 21, 24, 27));
  EXPECT_EQ(result_.line, "10 of 30 frames of the video");
  EXPECT_EQ(result_.facts["frames"]["extracted"], 10);
  const FrameList list = Listed();
  EXPECT_EQ(list.source, "a.mkv");
  EXPECT_TRUE(list.video);
  EXPECT_EQ(list.clip_frames, 30);
  const double span = static_cast<double>(spec_.stamps[29] - 700) / 1000;
  EXPECT_NEAR(list.frames_per_second, 29 / span, 1e-6);
  EXPECT_NEAR(list.clip_duration, span * 30 / 29, 1e-6);
  EXPECT_EQ(list.codec, "ffv1");
  EXPECT_EQ(list.hdr, "");

  const std::unique_ptr<Stage> check = MakeCheckStage();
  Set(*check, "blur", "0");
  check->Run(context_);
  const CaptureFile capture = Capture();
  EXPECT_EQ(capture.kind, "video");
  ASSERT_EQ(capture.frames.size(), 10u);
  for (size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(capture.frames[i].index, static_cast<int64_t>(3 * i));
    EXPECT_NEAR(capture.frames[i].time,
                static_cast<double>(spec_.stamps[3 * i] - 700) / 1000,
                1e-9);
    EXPECT_EQ(capture.frames[i].width, 114);
    EXPECT_EQ(capture.frames[i].height, 30);
  }
}

TEST_F(ExtractVideo, TargetIsTheNumberOfFrames) {
  Film(Small(40), "a.mkv");
  const std::unique_ptr<Stage> stage = MakeExtractStage();
  // As many as there are, and fewer: all of them, in order.
  Set(*stage, "target", "40");
  const std::vector<int64_t> all = Extract(*stage);
  EXPECT_EQ(all.size(), 40u);
  EXPECT_EQ(all.back(), 39);
  Set(*stage, "target", "39");
  EXPECT_LE(Extract(*stage).size(), 39u);
  // `every` has the last word, up to more than there are.
  Set(*stage, "every", "39");
  EXPECT_THAT(Extract(*stage), ElementsAre(0, 39));
  Set(*stage, "every", "40");
  EXPECT_THAT(Extract(*stage), ElementsAre(0));
  Set(*stage, "every", "1");
  EXPECT_EQ(Extract(*stage).size(), 40u);
}

TEST_F(ExtractVideo, FastMotionTakesUpToThreeTimesAsMany) {
  const auto taken = [&](double step, int target) {
    ClipSpec spec;
    spec.width = 180;
    spec.height = 60;
    for (int i = 0; i < 60; ++i) spec.stamps.push_back(33 * i);
    context_.capture = folder_ / "a.mkv";
    WriteClip(spec, context_.capture, [&](int i) {
      return TestPicture(180, 60, step * i, 0);
    });
    const std::unique_ptr<Stage> stage = MakeExtractStage();
    Set(*stage, "target", std::to_string(target));
    stage->Run(context_);
    return Listed().frames.size();
  };
  // The whole way is 59 steps: 0.3, 1.3 and 3 of the width.
  EXPECT_EQ(taken(0.9, 7), 7u);
  EXPECT_NEAR(taken(4, 13), 22, 2);  // 0.06 of the width each
  EXPECT_EQ(taken(9, 7), 21u);
}

TEST_F(ExtractVideo, OblongPixelsAreSquareInTheFrames) {
  ClipSpec spec;
  spec.stamps = UnevenStamps(9, 0);
  spec.pixel_width = 16;
  spec.pixel_height = 11;
  spec.orientation = 6;
  context_.capture = folder_ / "a.mov";
  WriteClip(spec, context_.capture, [&](int i) {
    return TestPicture(spec.width, spec.height, 4 * i, 0);
  });
  MakeExtractStage()->Run(context_);
  EXPECT_EQ(ReadImageSize(Frame("00009.jpg")), (ImageSize{98, 253}));
  MakeCheckStage()->Run(context_);
  EXPECT_EQ(Capture().frames[8].width, 98);
  EXPECT_EQ(Capture().frames[8].height, 253);
}

TEST_F(ExtractVideo, JpegQualityIsThatOfTheFrames) {
  Film(Small(9), "a.mkv");
  const std::unique_ptr<Stage> stage = MakeExtractStage();
  // The first step of the luma table is 16 at 50 (T.81, K.1).
  const auto first_step = [&] {
    stage->Run(context_);
    const std::string bytes = ReadFile(Frame("00002.jpg"));
    return static_cast<int>(bytes.at(bytes.find("\xff\xdb") + 5));
  };
  EXPECT_EQ(first_step(), 1);
  Set(*stage, "jpeg_quality", "50");
  EXPECT_EQ(first_step(), 16);
  Set(*stage, "jpeg_quality", "80");
  EXPECT_EQ(first_step(), 6);
}

TEST_F(ExtractVideo, TheNextOneStandsInForADamagedFrame) {
  ClipSpec spec = Small(30);
  spec.encoder = "mjpeg";
  spec.colours = ClipColours::k709Full;
  spec.damaged = {0, 10, 20, 21};
  Film(spec, "a.mkv");
  const std::unique_ptr<Stage> stage = MakeExtractStage();
  Set(*stage, "every", "10");
  EXPECT_THAT(Extract(*stage), ElementsAre(1, 11, 22));
  EXPECT_THAT(ears_.warnings,
              ElementsAre(HasSubstr("4 damaged frames of the video left out")));
}

TEST_F(ExtractVideo, ADeadClipIsNamedWithItsRemedy) {
  ClipSpec spec = Small(3);
  spec.encoder = "mjpeg";
  spec.colours = ClipColours::k709Full;
  spec.damaged = {0, 1, 2};
  Film(spec, "dead.mkv");
  EXPECT_THAT(ExtractProblem(context_.capture),
              AllOf(HasSubstr("none of the 3 frames of"),
                    HasSubstr(context_.capture.string()),
                    HasSubstr("mjpeg"),
                    HasSubstr("; copy it from the camera again")));
}

TEST_F(ExtractVideo, AClipThatWasCutOffIsUsedWithAWarning) {
  context_.capture = folder_ / "whole.mp4";
  VideoWriter writer(context_.capture, 160, 90, 25, 10);
  for (int i = 0; i < 60; ++i) writer.Write(NumberedPicture(i, 160, 90));
  writer.Finish();
  MakeExtractStage()->Run(context_);
  EXPECT_THAT(ears_.warnings, IsEmpty());
  const std::string whole = ReadFile(context_.capture);
  context_.capture = folder_ / "cut.mp4";
  std::ofstream(context_.capture, std::ios::binary)
      << whole.substr(0, whole.size() * 2 / 3);
  MakeExtractStage()->Run(context_);
  const std::string held = std::to_string(Listed().clip_frames);
  EXPECT_THAT(ears_.warnings,
              Contains(HasSubstr("the video announces 60 frames but holds " +
                                 held + "; it seems to be cut off")));
}

TEST_F(ExtractVideo, HighDynamicRangeIsSaid) {
  ClipSpec spec = Small(3);
  spec.colours = ClipColours::kHlg;
  Film(spec, "a.mkv");
  MakeExtractStage()->Run(context_);
  EXPECT_EQ(Listed().hdr, "HLG");
  EXPECT_THAT(ears_.infos, Contains(HasSubstr("the video is HDR (HLG)")));
}

}  // namespace
}  // namespace nerfpipe
