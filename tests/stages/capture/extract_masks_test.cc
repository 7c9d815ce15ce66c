// What of photos counts: masks beside them, and their alpha.

#include "pipeline/base/atomic_file.h"
#include "stages/capture/frame_masks.h"
#include "stages/common/capture_file.h"
#include "stages/media/image_file.h"
#include "stages/media/jpeg.h"
#include "stages/media/orientation.h"
#include "tests/scenes/photos.h"
#include "tests/stages/capture/layout_pictures.h"
#include "tests/stages/capture/stage_fixture.h"
#include "tests/stages/media/test_pictures.h"

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// White from (x, y) on, to the right and below.
Image Corner(int width, int height, int x, int y) {
  Image mask(width, height, 1);
  for (int v = y; v < height; ++v) {
    std::fill(mask.At(x, v), mask.At(0, v) + width, 255);
  }
  return mask;
}

Image WithAlpha(const Image& rgb, const Image& alpha) {
  Image rgba(rgb.width, rgb.height, 4);
  for (size_t i = 0; i < alpha.pixels.size(); ++i) {
    std::copy_n(&rgb.pixels[3 * i], 3, &rgba.pixels[4 * i]);
    rgba.pixels[4 * i + 3] = alpha.pixels[i];
  }
  return rgba;
}

class ExtractMasks : public CaptureStages {
 protected:
  ExtractMasks() { context_.capture = folder_ / "photos"; }

  std::filesystem::path In(const std::string& name) const {
    std::filesystem::create_directories(
        (context_.capture / name).parent_path());
    return context_.capture / name;
  }
  StageResult Extract() { return MakeExtractStage()->Run(context_); }
  std::filesystem::path MaskFile(const std::string& name) const {
    return context_.workspace / kFrameMaskFolder / name;
  }
  // One channel; what is read of it is RGB.
  Image Mask(const std::string& name) const {
    EXPECT_EQ(ReadImageHeader(MaskFile(name)).channels, 1);
    return Gray(ReadImage(MaskFile(name)));
  }
  std::vector<std::string> MaskNames() const {
    std::vector<std::string> names;
    for (const auto& entry :
         std::filesystem::directory_iterator(MaskFile(""))) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }
};

TEST_F(ExtractMasks, LieAsTheirFrames) {
  WriteImage(TestPicture(64, 48), In("1.jpg"));
  WriteImage(TestPicture(64, 48, 9), In("2.jpg"));
  // Stored lying and shown upright, so it is turned back: 3.
  WriteFileAtomically(In("3.jpg"),
                      WithExif(EncodeJpeg(TestPicture(64, 48, 30), 95), 6, 0));
  WriteImage(TestPicture(64, 48, 50), In("4.jpg"));
  WriteImage(Corner(32, 24, 5, 7), In("masks/1.png"));  // half the size
  WriteImage(Corner(64, 48, 20, 30), In("2_mask.png"));
  // As the upright picture.
  WriteImage(ApplyOrientation(Corner(64, 48, 11, 13), 6), In("3.jpg.png"));
  WriteImage(Corner(9, 9, 0, 0), In("9_mask.png"));
  Extract();
  ASSERT_EQ(Listed().frames.size(), 4u);
  EXPECT_THAT(MaskNames(),
              UnorderedElementsAre("00001.png", "00002.png", "00003.png"));
  EXPECT_EQ(Mask("00001.png").pixels, Corner(64, 48, 10, 14).pixels);
  EXPECT_EQ(Mask("00002.png").pixels, Corner(64, 48, 20, 30).pixels);
  EXPECT_EQ(Mask("00003.png").pixels, Corner(64, 48, 11, 13).pixels);
  EXPECT_THAT(ears_.infos,
              ElementsAre("3 masks: what is black in them is not used; 1 photo "
                          "has none",
                          HasSubstr("1 photo turned by a quarter")));
  EXPECT_THAT(ears_.warnings,
              ElementsAre("1 mask without a photo of that name left out: "
                          "'9_mask.png'"));
}

TEST_F(ExtractMasks, OfStoredPixelsAreTurnedWithThem) {
  // Portraits all of them: none is turned back.
  for (int i = 1; i <= 2; ++i) {
    WriteFileAtomically(
        In(std::to_string(i) + ".jpg"),
        WithExif(EncodeJpeg(TestPicture(64, 48, 30 * i), 95), 8, 0));
  }
  WriteImage(Corner(64, 48, 11, 13), In("1_mask.png"));
  WriteImage(Corner(48, 64, 11, 13), In("2_mask.png"));
  Extract();
  EXPECT_EQ(Mask("00001.png").pixels,
            ApplyOrientation(Corner(64, 48, 11, 13), 8).pixels);
  EXPECT_EQ(Mask("00002.png").pixels, Corner(48, 64, 11, 13).pixels);
}

TEST_F(ExtractMasks, FollowTheirFramesOverGaps) {
  WriteFileAtomically(In("1.jpg"), "damaged");
  WriteImage(TestPicture(64, 48), In("2.jpg"));
  WriteImage(TestPicture(64, 48), In("2 (1).jpg"));  // a copy
  WriteImage(TestPicture(64, 48, 9), In("3.jpg"));
  WriteImage(Corner(64, 48, 1, 2), In("1_mask.png"));
  // Only the copy has one.
  WriteImage(Corner(64, 48, 3, 4), In("2 (1)_mask.png"));
  WriteImage(Corner(64, 48, 5, 6), In("3_mask.png"));
  Extract();
  EXPECT_EQ(Listed().frames[0].original, "2.jpg");
  EXPECT_THAT(MaskNames(), UnorderedElementsAre("00001.png", "00002.png"));
  EXPECT_EQ(Mask("00001.png").pixels, Corner(64, 48, 3, 4).pixels);
  EXPECT_EQ(Mask("00002.png").pixels, Corner(64, 48, 5, 6).pixels);
}

TEST_F(ExtractMasks, MayBeTransparentOrDamaged) {
  WriteImage(TestPicture(64, 48), In("1.jpg"));
  WriteImage(TestPicture(64, 48, 9), In("2.jpg"));
  Image white(64, 48, 3);
  std::fill(white.pixels.begin(), white.pixels.end(), 255);
  WriteImage(WithAlpha(white, Corner(64, 48, 17, 5)), In("1_mask.png"));
  WriteFileAtomically(In("2_mask.png"), "no picture");
  Extract();
  EXPECT_EQ(Mask("00001.png").pixels, Corner(64, 48, 17, 5).pixels);
  EXPECT_EQ(Listed().frames.size(), 2u);
  EXPECT_THAT(ears_.warnings,
              ElementsAre(AllOf(HasSubstr("mask '"),
                                HasSubstr("2_mask.png'"),
                                HasSubstr("its photo is used as a whole"))));
}

TEST_F(ExtractMasks, AreMadeOfAlphaThatHidesSomething) {
  const Image picture = TestPicture(64, 48);
  Image alpha = Corner(64, 48, 25, 19);
  *alpha.At(0, 0) = 128;
  *alpha.At(63, 47) = 127;
  WriteImage(WithAlpha(picture, alpha), In("1.png"));
  Image faint(64, 48, 1);
  std::fill(faint.pixels.begin(), faint.pixels.end(), 128);
  WriteImage(WithAlpha(TestPicture(64, 48, 9), faint), In("2.png"));
  // With a mask beside it, what either hides is not used.
  WriteImage(WithAlpha(TestPicture(64, 48, 20), Corner(64, 48, 25, 19)),
             In("3.png"));
  WriteImage(Corner(64, 48, 40, 3), In("3_mask.png"));
  Extract();
  EXPECT_EQ(ReadFile(Frame("00001.png")), ReadFile(In("1.png")));
  EXPECT_EQ(ReadImageHeader(Frame("00002.png")).channels, 3);
  EXPECT_THAT(MaskNames(), UnorderedElementsAre("00001.png", "00003.png"));
  Image expected = Corner(64, 48, 25, 19);
  *expected.At(0, 0) = 255;
  *expected.At(63, 47) = 0;
  EXPECT_EQ(Mask("00001.png").pixels, expected.pixels);
  EXPECT_EQ(Mask("00003.png").pixels, Corner(64, 48, 40, 19).pixels);
  EXPECT_THAT(ears_.infos,
              ElementsAre(HasSubstr("1 mask: "),
                          "2 photos have transparent parts, which are not "
                          "used"));
}

TEST_F(ExtractMasks, AlphaSurvivesAQuarterTurnAndSixteenBits) {
  const Image picture = TestPicture(64, 48);
  const Image alpha = Corner(64, 48, 25, 19);
  WriteImage(WithAlpha(picture, alpha), In("1.png"));
  WriteImage(WithAlpha(TestPicture(64, 48, 9), alpha), In("2.png"));
  const Image standing = ApplyOrientation(WithAlpha(picture, alpha), 6);
  std::string rows;
  for (const uint8_t value : standing.pixels) {
    rows += std::string(2, static_cast<char>(value));
  }
  WriteFileAtomically(In("3.png"), MakePng({48, 64, 16, 6, rows, "", ""}));
  Extract();
  EXPECT_EQ(ReadImage(Frame("00003.png"), true).pixels,
            WithAlpha(picture, alpha).pixels);
  EXPECT_EQ(ReadImageHeader(Frame("00003.png")).bits, 8);
  EXPECT_EQ(Mask("00003.png").pixels, alpha.pixels);
}

TEST_F(ExtractMasks, TheFolderIsThereWithoutAny) {
  WriteImage(TestPicture(64, 48), In("1.jpg"));
  Extract();
  EXPECT_THAT(MaskNames(), IsEmpty());
  EXPECT_THAT(MakeExtractStage()->Outputs(),
              ::testing::Contains(kFrameMaskFolder));
}

TEST_F(ExtractMasks, OfPanoramasAreCutAlike) {
  for (int i = 1; i <= 3; ++i) {
    const std::string name = std::to_string(i);
    WriteImage(PanoramaPicture(304, 10.0 * i), In(name + ".png"));
    if (i != 2) WriteImage(Corner(304, 152, 152, 0), In(name + "_mask.png"));
  }
  EXPECT_EQ(Extract().line, "12 photos");
  const FrameList list = Listed();
  ASSERT_EQ(list.frames.size(), 12u);
  EXPECT_EQ(list.Kind(), "photos");
  EXPECT_EQ(list.frames[5].original, "3.png at 90 degrees");
  EXPECT_NEAR(list.frames[5].focal, std::sqrt(0.125), 1e-9);
  EXPECT_EQ(MaskNames().size(), 8u);
  // The right half of what is straight ahead; all that is to the right.
  EXPECT_EQ(Mask("00003.png").pixels, Corner(76, 76, 38, 0).pixels);
  EXPECT_EQ(Mask("00006.png").pixels, Corner(76, 76, 0, 0).pixels);
  EXPECT_THAT(ears_.infos[0], HasSubstr("3 photos are each a 360-degree"));
}

TEST_F(ExtractMasks, OfStereoPhotosTheLeftIsTaken) {
  for (int i = 0; i < 4; ++i) {
    WriteImage(SideBySide(WallPicture(9 * i), WallPicture(9 * i + 5)),
               In(std::to_string(i) + ".png"));
  }
  const Image left = Corner(213, 149, 30, 20);
  Image mask(426, 149, 1);
  for (int y = 0; y < 149; ++y) std::copy_n(left.At(0, y), 213, mask.At(0, y));
  WriteImage(mask, In("3_mask.png"));
  Extract();
  EXPECT_EQ(ReadImage(Frame("00003.png")).pixels, WallPicture(18).pixels);
  EXPECT_EQ(Mask("00004.png").pixels, left.pixels);
}

}  // namespace
}  // namespace nerfpipe
