// Videos that are more, or other, than one plain clip.

#include "pipeline/base/atomic_file.h"
#include "stages/capture/frame_views.h"
#include "stages/media/image_file.h"
#include "tests/scenes/clips.h"
#include "tests/stages/capture/layout_pictures.h"
#include "tests/stages/capture/stage_fixture.h"
#include "tests/stages/media/test_pictures.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class ExtractClips : public CaptureStages {
 protected:
  ExtractClips() { context_.capture = folder_ / "clips"; }

  // Frame i shows picture(i). Without a name it is the capture itself.
  void Film(const std::string& name,
            int frames,
            const ClipPicture& picture,
            int orientation = 1) const {
    const std::filesystem::path path =
        name.empty() ? context_.capture : context_.capture / name;
    std::filesystem::create_directories(path.parent_path());
    const Image first = picture(0);
    ClipSpec spec;
    spec.width = first.width;
    spec.height = first.height;
    spec.stamps = UnevenStamps(frames, 900);
    spec.orientation = orientation;
    WriteClip(spec, path, picture);
  }
  StageResult Extract(const std::vector<std::string>& setting = {}) {
    std::filesystem::remove_all(Frame(""));
    const std::unique_ptr<Stage> stage = MakeExtractStage();
    if (!setting.empty()) Set(*stage, setting[0], setting[1]);
    return stage->Run(context_);
  }
  std::vector<ImageSize> Sizes() const {
    std::vector<ImageSize> sizes;
    for (const ListedFrame& frame : Listed().frames) {
      sizes.push_back(ReadImageSize(Frame(frame.name)));
    }
    return sizes;
  }
};

ClipPicture Numbers(int width, int height, int first = 0, int step = 1) {
  return
      [=](int i) { return NumberedPicture(first + step * i, width, height); };
}

TEST_F(ExtractClips, SeveralClipsAreOneCapture) {
  Film("GX020042.mkv", 12, Numbers(114, 30, 100));
  Film("more/GX010043.mkv", 9, Numbers(114, 30, 200));
  Film("GX010042.mkv", 7, Numbers(114, 30));
  EXPECT_EQ(Extract().line, "28 of 28 frames of 3 videos");
  const FrameList list = Listed();
  EXPECT_EQ(list.Kind(), "clips");
  ASSERT_EQ(list.frames.size(), 28u);
  for (size_t i = 0; i < 28; ++i) {
    const ListedFrame& frame = list.frames[i];
    const bool first = i < 7;
    const bool last = i >= 19;
    const int64_t index = static_cast<int64_t>(i) - (first ? 0 : last ? 19 : 7);
    EXPECT_EQ(frame.name, FrameName(static_cast<int64_t>(i) + 1, 28, ".jpg"));
    EXPECT_EQ(frame.clip,
              first  ? "GX010042.mkv"
              : last ? "more/GX010043.mkv"
                     : "GX020042.mkv");
    EXPECT_EQ(frame.index, index);
    EXPECT_EQ(NumberIn(ReadImage(Frame(frame.name))),
              index + (first  ? 0
                       : last ? 200
                              : 100));
  }
  EXPECT_EQ(list.frames[7].time, 0);
  EXPECT_THAT(ears_.infos, ElementsAre("3 videos: 2 on top, 1 in 'more'"));

  const std::unique_ptr<Stage> check = MakeCheckStage();
  Set(*check, "blur", "0");
  check->Run(context_);
  const CaptureFile capture = Capture();
  EXPECT_EQ(capture.kind, "clips");
  EXPECT_EQ(capture.frames[7].clip, "GX020042.mkv");
  EXPECT_EQ(capture.frames[7].index, 0);
  // Nothing moves from the end of one clip to the start of the next.
  EXPECT_EQ(capture.frames[7].motion, 0);
  EXPECT_EQ(capture.frames[19].motion, 0);
  EXPECT_GT(capture.frames[8].motion, 0);
}

TEST_F(ExtractClips, TheyShareTheTargetByTheirMotion) {
  const auto moving = [](double step) {
    return [=](int i) { return TestPicture(180, 60, step * i, 0); };
  };
  Film("slow.mkv", 60, moving(0.5));
  Film("fast.mkv", 30, moving(3));
  Extract({"target", "24"});
  int64_t slow = 0;
  int64_t fast = 0;
  for (const ListedFrame& frame : Listed().frames) {
    ++(frame.clip == "slow.mkv" ? slow : fast);
  }
  // Ways of 59 * 0.5 and 29 * 3 pixels.
  EXPECT_NEAR(slow, 6, 1);
  EXPECT_NEAR(fast, 18, 2);
}

TEST_F(ExtractClips, TheOnlyVideoOfAFolderIsAVideo) {
  Film("walk.mkv", 9, Numbers(114, 30));
  // What phones and action cameras put beside.
  for (const char* name : {"cover.jpg", "walk.THM"}) {
    WriteFileAtomically(context_.capture / name, "thumbnail");
  }
  EXPECT_EQ(Extract().line, "9 of 9 frames of the video");
  EXPECT_EQ(Listed().Kind(), "video");
  EXPECT_EQ(Listed().source, "clips");
  EXPECT_EQ(Listed().frames[8].clip, "walk.mkv");
  EXPECT_THAT(ears_.warnings,
              ElementsAre(AllOf(HasSubstr("1 picture beside the videos left "
                                          "out: 'cover.jpg'"),
                                HasSubstr("fewer than 8"))));
}

TEST_F(ExtractClips, CopiesAndDamagedOnesAreLeftOut) {
  Film("a.mkv", 9, Numbers(114, 30));
  Film("b.mkv", 8, Numbers(114, 30, 50));
  std::filesystem::copy(context_.capture / "a.mkv",
                        context_.capture / "a (1).mkv");
  WriteFileAtomically(context_.capture / "c.mp4", "no video");
  EXPECT_EQ(Extract().line, "17 of 17 frames of 2 videos");
  EXPECT_THAT(ears_.infos,
              ElementsAre("'a (1).mkv' left out: it is 'a.mkv' again"));
  EXPECT_THAT(ears_.warnings,
              ElementsAre(AllOf(HasSubstr("c.mp4"), HasSubstr("left out"))));
  for (const char* name : {"a.mkv", "a (1).mkv", "b.mkv"}) {
    WriteFileAtomically(context_.capture / name, name);
  }
  EXPECT_THAT(ExtractProblem(context_.capture),
              HasSubstr("none of the 4 videos in"));
}

TEST_F(ExtractClips, OfClipsHeldBothWaysMostDecide) {
  Film("1.mov", 8, Numbers(96, 64));
  Film("2.mov", 8, Numbers(96, 64, 30));
  Film("3.mov", 8, Numbers(96, 64, 60), 6);
  Extract();
  EXPECT_THAT(Sizes(), AllOf(SizeIs(24), Each(ImageSize{96, 64})));
  EXPECT_THAT(ears_.infos,
              ElementsAre("'3.mov' turned by a quarter, so that all lie as the "
                          "sensor does"));
}

// --- a size that changes ---

TEST_F(ExtractClips, AChangedSizeIsBroughtToThatOfMost) {
  context_.capture = folder_ / "joined.ts";
  std::string joined;
  int part = 0;
  for (const ImageSize size : {ImageSize{192, 108},
                               ImageSize{96, 54},
                               ImageSize{144, 108},
                               ImageSize{192, 108}}) {
    const std::filesystem::path file = folder_ / "part.ts";
    ClipSpec spec;
    spec.width = size.width;
    spec.height = size.height;
    // Where parts are joined the last picture is lost.
    const int lost = part < 3 ? 1 : 0;
    for (int i = 0; i < 5 - part + lost; ++i) {
      spec.stamps.push_back(10000 + 1000 * part + 40 * i);
    }
    WriteClip(spec, file, Numbers(size.width, size.height, 10 * part));
    joined += ReadFile(file);
    ++part;
  }
  WriteFileAtomically(context_.capture, joined);
  Extract();
  const FrameList list = Listed();
  ASSERT_THAT(list.frames, SizeIs(5 + 4 + 2));
  EXPECT_THAT(Sizes(), Each(ImageSize{192, 108}));
  for (size_t i = 0; i < list.frames.size(); ++i) {
    const Image frame = ReadImage(Frame(list.frames[i].name));
    const int number = static_cast<int>(i < 5 ? i : i < 9 ? i + 5 : i + 21);
    EXPECT_EQ(NumberIn(frame), number);
  }
  EXPECT_EQ(list.frames[10].index, 13);
  EXPECT_THAT(ears_.infos,
              ElementsAre("the size of the picture changes in the video: 4 "
                          "frames of 96x54 brought to 192x108"));
  EXPECT_THAT(ears_.warnings,
              ElementsAre("3 frames of the video left out: of another shape "
                          "(144x108) than most (192x108)"));
}

// --- layouts ---

// Of even sides, as codecs like it.
Image Even(const Image& image) {
  Image even(image.width / 2 * 2, image.height / 2 * 2, 3);
  for (int y = 0; y < even.height; ++y) {
    std::copy_n(image.At(0, y), 3 * even.width, even.At(0, y));
  }
  return even;
}

TEST_F(ExtractClips, OfStereoTheLeftViewIsTaken) {
  const auto picture = [](int i) {
    return SideBySide(Even(WallPicture(i)), Even(WallPicture(i + 5)));
  };
  context_.capture = folder_ / "stereo.mkv";
  Film("", 13, picture);
  EXPECT_EQ(Extract().line, "13 of 13 frames of the video");
  EXPECT_EQ(Listed().Kind(), "video");
  EXPECT_THAT(Sizes(), Each(ImageSize{212, 148}));
  EXPECT_GT(Psnr(ReadImage(Frame("00009.jpg")), Even(WallPicture(8))), 28);
  EXPECT_THAT(ears_.infos,
              ElementsAre(AllOf(HasSubstr("the video shows two views side by"),
                                HasSubstr("--set extract.layout=plain"))));
  // As well when there is something to choose.
  Extract({"target", "5"});
  EXPECT_THAT(Sizes(), Each(ImageSize{212, 148}));
  Extract({"layout", "plain"});
  EXPECT_THAT(Sizes(), Each(ImageSize{424, 148}));
}

TEST_F(ExtractClips, PanoramasAreFourWalks) {
  context_.capture = folder_ / "pano.mkv";
  Film("", 6, [](int i) { return PanoramaPicture(304, 3.0 * i); });
  EXPECT_EQ(Extract().line, "24 views cut out of 6 frames");
  const FrameList list = Listed();
  EXPECT_EQ(list.Kind(), "clips");
  ASSERT_THAT(list.frames, SizeIs(24));
  EXPECT_THAT(Sizes(), Each(ImageSize{76, 76}));
  for (size_t i = 0; i < 24; ++i) {
    const ListedFrame& frame = list.frames[i];
    EXPECT_EQ(frame.index, static_cast<int64_t>(i % 6));
    EXPECT_EQ(frame.clip,
              "pano.mkv at " + std::to_string(90 * (i / 6)) + " degrees");
    EXPECT_NEAR(frame.focal, std::sqrt(0.125), 1e-9);
    const Image expected =
        CutViews(PanoramaPicture(304, 3.0 * static_cast<double>(i % 6)),
                 {FrameLayout::Half::kNone, false, true},
                 Resampling::kSmooth)[i / 6];
    EXPECT_GT(Psnr(ReadImage(Frame(frame.name)), expected), 28);
  }
  EXPECT_THAT(ears_.infos, ElementsAre(HasSubstr("a 360-degree panorama")));
  MakeCheckStage()->Run(context_);
  EXPECT_NEAR(Capture().frames[23].focal, std::sqrt(0.125), 1e-6);
}

TEST_F(ExtractClips, AnAnimatedWebpIsNamedWithItsRemedy) {
  // RFC 9649, 2.7: the flag of animations, then 20 x 10 pixels.
  const std::string webp = {'R', 'I', 'F', 'F', 22,  0,   0,  0, 'W', 'E',
                            'B', 'P', 'V', 'P', '8', 'X', 10, 0, 0,   0,
                            2,   0,   0,   0,   19,  0,   0,  9, 0,   0};
  WriteFileAtomically(folder_ / "a.webp", webp);
  EXPECT_THAT(ExtractProblem(folder_ / "a.webp"),
              AllOf(HasSubstr("a.webp' is an animated WebP"),
                    HasSubstr("; convert it to .mp4")));
  context_.capture = folder_ / "photos";
  std::filesystem::create_directories(context_.capture);
  WriteFileAtomically(context_.capture / "a.webp", webp);
  WriteImage(TestPicture(20, 14), context_.capture / "b.png");
  Extract();
  EXPECT_THAT(ears_.warnings,
              ElementsAre(HasSubstr("a.webp' is an animation, not a photo; "
                                    "left out")));
}

}  // namespace
}  // namespace nerfpipe
