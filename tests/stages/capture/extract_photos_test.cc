// What becomes of the photos of a folder.

#include "pipeline/base/atomic_file.h"
#include "stages/media/image_file.h"
#include "stages/media/jpeg.h"
#include "tests/scenes/orientations.h"
#include "tests/scenes/photos.h"
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
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class ExtractPhotos : public CaptureStages {
 protected:
  ExtractPhotos() {
    context_.capture = folder_ / "photos";
    std::filesystem::create_directories(context_.capture);
  }
  void Save(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories(
        (context_.capture / name).parent_path());
    std::ofstream(context_.capture / name, std::ios::binary) << bytes;
  }
  void SaveJpeg(const std::string& name, const Image& image) const {
    Save(name, EncodeJpeg(image, 95));
  }
  StageResult Extract() { return MakeExtractStage()->Run(context_); }
  std::string Sizes() const {
    std::string text;
    for (const ListedFrame& frame : Listed().frames) {
      const ImageSize size = ReadImageSize(Frame(frame.name));
      text +=
          std::to_string(size.width) + "x" + std::to_string(size.height) + " ";
    }
    return text;
  }
};

// Where the upright pictures of the fewer are turned as EXIF had turned them
// back, all lie as the sensor does.
void ExpectTurned(const Image& frame, const MixedPhoto& photo) {
  if (photo.orientation >= 5) {
    EXPECT_GT(Psnr(frame, AsStored(photo.upright, photo.orientation)), 32);
    return;
  }
  // No sensor to go by: either quarter will do, but not mirrored.
  EXPECT_GT(std::max(Psnr(frame, AsStored(photo.upright, 6)),
                     Psnr(frame, AsStored(photo.upright, 8))),
            32);
}

TEST_F(ExtractPhotos, OfAnyOrientationMostStandAndTheRestLiesAsTheSensor) {
  for (const bool most_lie : {true, false}) {
    SCOPED_TRACE(most_lie);
    context_.capture = folder_ / (most_lie ? "lying" : "standing");
    std::filesystem::remove_all(context_.workspace / kFrameFolder);
    ears_ = Listener();
    const std::vector<MixedPhoto> photos =
        WriteMixedPhotos(context_.capture, most_lie);
    Extract();
    const FrameList list = Listed();
    ASSERT_EQ(list.frames.size(), 8u);
    for (size_t i = 0; i < 8; ++i) {
      SCOPED_TRACE(photos[i].name);
      const ListedFrame& listed = list.frames[i];
      EXPECT_EQ(listed.name, FrameName(static_cast<int64_t>(i) + 1, 8, ".jpg"));
      EXPECT_EQ(listed.original, photos[i].name);
      EXPECT_NEAR(listed.focal, photos[i].focal, 1e-6);
      const Image frame = ReadImage(Frame(listed.name));
      // The pixels lie so, whoever reads them.
      EXPECT_EQ(ReadImageHeader(Frame(listed.name)).orientation, 1);
      EXPECT_EQ(frame.width > frame.height, most_lie);
      const bool fewer =
          (photos[i].upright.width > photos[i].upright.height) != most_lie;
      if (fewer) {
        ExpectTurned(frame, photos[i]);
      } else {
        EXPECT_GT(Psnr(frame, photos[i].upright), 32);
      }
    }
    EXPECT_THAT(ears_.infos,
                ElementsAre("3 photos turned by a quarter, so that all lie as "
                            "the sensor does"));
    // That of orientation 1 is not written anew.
    EXPECT_EQ(ReadFile(Frame("00001.jpg")),
              ReadFile(context_.capture / photos[0].name));
  }
}

TEST_F(ExtractPhotos, OnlyPhotosOfTheSameSidesAreTurned) {
  SaveJpeg("1.jpg", TestPicture(64, 48));
  SaveJpeg("2.jpg", TestPicture(64, 48, 9));
  SaveJpeg("3.jpg", TestPicture(50, 64));  // another lens, or cut
  SaveJpeg("4.jpg", TestPicture(48, 48));  // has no way to lie
  SaveJpeg("5.jpg", TestPicture(48, 64));
  Extract();
  EXPECT_EQ(Sizes(), "64x48 64x48 50x64 48x48 64x48 ");
}

TEST_F(ExtractPhotos, OfEquallyManyThoseThatLieWin) {
  SaveJpeg("1.jpg", TestPicture(48, 64));
  SaveJpeg("2.jpg", TestPicture(64, 48));
  Extract();
  EXPECT_EQ(Sizes(), "64x48 64x48 ");
}

TEST_F(ExtractPhotos, WhatOthersReadOtherwiseIsWrittenAnew) {
  const auto picture = [](int i) { return TestPicture(9, 7, 13.0 * i); };
  const auto rows = [&](int i) {
    const Image image = picture(i);
    return std::string(image.pixels.begin(), image.pixels.end());
  };
  std::string wide;
  for (const char value : rows(1)) wide += std::string(2, value);
  std::string with_alpha;
  for (int i = 0; i < 9 * 7; ++i) {
    with_alpha += rows(2).substr(3 * i, 3) + '\x93';
  }
  const std::string gray = MakePng({9, 7, 8, 0, rows(3).substr(0, 63), "", ""});
  Save("1.png", MakePng({9, 7, 16, 2, wide, "", ""}));
  Save("2.PNG", MakePng({9, 7, 8, 6, with_alpha, "", ""}));
  Save("3.png", gray);
  Save("4.jpeg", MakeCmykJpeg(9, 7, {10, 20, 30, 40}, true));
  Save("5.tif", MakeTiff(picture(5), 1));
  Save("6.png", MakePng({9, 7, 8, 2, rows(6), "", ExifStructure(3, 0)}));
  Extract();
  std::vector<std::string> names;
  for (const ListedFrame& frame : Listed().frames) names.push_back(frame.name);
  EXPECT_THAT(names,
              ElementsAre("00001.png",
                          "00002.png",
                          "00003.png",
                          "00004.jpg",
                          "00005.jpg",
                          "00006.png"));
  for (const int i : {1, 2}) {
    const std::string name = FrameName(i, 6, ".png");
    const ImageHeader header = ReadImageHeader(Frame(name));
    EXPECT_EQ(header.bits, 8) << name;
    EXPECT_EQ(header.channels, 3) << name;
    EXPECT_EQ(ReadImage(Frame(name)).pixels, picture(i).pixels) << name;
  }
  EXPECT_EQ(ReadFile(Frame("00003.png")), gray);
  EXPECT_EQ(ReadImageHeader(Frame("00004.jpg")).channels, 3);
  EXPECT_GT(Psnr(ReadImage(Frame("00005.jpg")), picture(5)), 30);
  EXPECT_EQ(ReadImageHeader(Frame("00006.png")).orientation, 1);
  EXPECT_EQ(AsStored(ReadImage(Frame("00006.png")), 3).pixels,
            picture(6).pixels);
}

TEST_F(ExtractPhotos, QualityIsThatOfWhatIsWrittenAnew) {
  SaveJpeg("1.jpg", TestPicture(40, 30));
  Save("2.tif", MakeTiff(TestPicture(40, 30), 1));
  const std::unique_ptr<Stage> stage = MakeExtractStage();
  Set(*stage, "jpeg_quality", "50");
  stage->Run(context_);
  EXPECT_EQ(ReadFile(Frame("00001.jpg")), ReadFile(context_.capture / "1.jpg"));
  const std::string bytes = ReadFile(Frame("00002.jpg"));
  EXPECT_EQ(bytes.at(bytes.find("\xff\xdb") + 5), 16);  // T.81, K.1
}

TEST_F(ExtractPhotos, DamagedOnesLeaveNoGap) {
  const auto picture = [](int i) { return TestPicture(64, 48, 10.0 * i); };
  const std::string jpeg = EncodeJpeg(picture(3), 90);
  SaveJpeg("1.jpg", picture(1));
  Save("2.jpg", "this is text");
  Save("3.jpg", jpeg.substr(0, jpeg.size() * 2 / 3));
  WriteImage(picture(4), context_.capture / "4.png");
  SaveJpeg("5.jpg", picture(5));
  Save("6.png", "");
  EXPECT_EQ(Extract().line, "3 photos");
  const FrameList list = Listed();
  ASSERT_EQ(list.frames.size(), 3u);
  EXPECT_EQ(list.frames[1].name, "00002.png");
  EXPECT_EQ(list.frames[1].original, "4.png");
  EXPECT_EQ(list.frames[2].name, "00003.jpg");
  EXPECT_EQ(list.frames[2].original, "5.jpg");
  EXPECT_EQ(ReadImage(Frame("00002.png")).pixels, picture(4).pixels);
  EXPECT_GT(Psnr(ReadImage(Frame("00003.jpg")), picture(5)), 32);
  EXPECT_THAT(ears_.warnings,
              ElementsAre(AllOf(HasSubstr("2.jpg'"), HasSubstr("left out")),
                          AllOf(HasSubstr("3.jpg'"), HasSubstr("damaged")),
                          AllOf(HasSubstr("6.png'"), HasSubstr("is empty"))));
  // No other file is left in the folder of frames.
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(Frame(""))) {
    files += entry.is_regular_file();
  }
  EXPECT_EQ(files, 3u);
}

TEST_F(ExtractPhotos, NothingGoodIsAnErrorWithItsCause) {
  Save("1.jpg", "this is text");
  Save("2.png", "");
  EXPECT_THAT(ExtractProblem(context_.capture),
              AllOf(HasSubstr("none of the 2 images in"),
                    HasSubstr(context_.capture.string()),
                    HasSubstr("1.jpg"),
                    HasSubstr("; copy them from the camera again")));
}

TEST_F(ExtractPhotos, WhatIsNoPhotoIsCountedAndSaid) {
  SaveJpeg("1.jpg", TestPicture(64, 48));
  SaveJpeg("._1.jpg", TestPicture(64, 48));
  Save("notes.txt", "not a photo");
  Save("2.NEF", "x");
  Save("2.dng", "x");
  Extract();
  EXPECT_EQ(Listed().frames.size(), 1u);
  EXPECT_THAT(ears_.infos,
              ElementsAre("2 files in the folder skipped: hidden or no "
                          "picture"));
  EXPECT_THAT(ears_.warnings,
              ElementsAre("2 camera raw files skipped; convert them to JPEG to "
                          "use them"));
}

TEST_F(ExtractPhotos, ThoseOfFoldersInsideAreTakenUnderTheirPaths) {
  SaveJpeg("101MEDIA/1.jpg", TestPicture(64, 48));
  SaveJpeg("100MEDIA/2.jpg", TestPicture(64, 48, 5));
  SaveJpeg("100MEDIA/1.jpg", TestPicture(64, 48, 9));
  SaveJpeg("7.jpg", TestPicture(64, 48, 15));
  context_.capture += "/";
  EXPECT_EQ(Extract().line, "4 photos");
  const FrameList list = Listed();
  EXPECT_EQ(list.source, "photos");
  EXPECT_FALSE(list.video);
  std::vector<std::string> originals;
  for (const ListedFrame& frame : list.frames) {
    originals.push_back(frame.original);
    EXPECT_EQ(ReadFile(Frame(frame.name)),
              ReadFile(context_.capture / frame.original));
  }
  EXPECT_THAT(
      originals,
      ElementsAre(
          "7.jpg", "100MEDIA/1.jpg", "100MEDIA/2.jpg", "101MEDIA/1.jpg"));
  EXPECT_THAT(ears_.infos,
              ElementsAre("4 photos: 1 on top, 2 in '100MEDIA', 1 in "
                          "'101MEDIA'"));
}

TEST_F(ExtractPhotos, RawFilesAboveAFolderOfPhotosAreSaid) {
  Save("a.cr2", "x");
  SaveJpeg("small/1.jpg", TestPicture(64, 48));
  EXPECT_EQ(Extract().line, "1 photo");
  EXPECT_THAT(ears_.warnings, ElementsAre(HasSubstr("1 camera raw file")));
}

TEST_F(ExtractPhotos, VideosBesideEnoughPhotosAreLeftOut) {
  for (int i = 1; i <= 8; ++i) {
    SaveJpeg(std::to_string(i) + ".jpg", TestPicture(64, 48, 5 * i));
  }
  for (const char* name : {"1.mov", "2.mov", "3.MP4", "4.mov"}) {
    Save(name, "part of a live photo");
  }
  EXPECT_EQ(Extract().line, "8 photos");
  EXPECT_THAT(ears_.warnings,
              ElementsAre("4 videos beside the photos left out: '1.mov', "
                          "'2.mov', '3.MP4' and 1 more; to use them, give a "
                          "folder without photos"));
}

TEST_F(ExtractPhotos, CopiesAreLeftOut) {
  const Image picture = TestPicture(64, 48);
  const std::string jpeg = EncodeJpeg(picture, 95);
  Save("IMG_7 (1).jpg", jpeg);
  Save("IMG_7.jpg", jpeg);
  SaveJpeg("IMG_8.jpg", TestPicture(64, 48, 1));  // much like it
  Save("old/IMG_7.jpg", jpeg);
  // The same pixels in other bytes.
  Save("edited.jpg", WithExif(EncodeJpeg(TestPicture(64, 48, 40), 95), 1, 31));
  SaveJpeg("original.jpg", TestPicture(64, 48, 40));
  const std::string rows(picture.pixels.begin(), picture.pixels.end());
  Save("p.tif", MakeTiff(picture, 1));
  Save("q.png", MakePng({64, 48, 8, 2, rows, "", ""}));
  EXPECT_EQ(Extract().line, "4 photos");
  std::vector<std::string> originals;
  for (const ListedFrame& frame : Listed().frames) {
    originals.push_back(frame.original);
  }
  EXPECT_THAT(originals,
              ElementsAre("edited.jpg", "IMG_7.jpg", "IMG_8.jpg", "p.tif"));
  EXPECT_EQ(ReadFile(Frame("00002.jpg")), jpeg);
  EXPECT_THAT(
      ears_.infos,
      ElementsAre(HasSubstr("8 photos: "),
                  "2 photos left out: copies of others, as 'IMG_7 (1).jpg' is "
                  "of 'IMG_7.jpg'",
                  "2 photos left out: copies of others, as 'original.jpg' is "
                  "of 'edited.jpg'"));
  // Their files are gone.
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(Frame(""))) {
    files += entry.is_regular_file();
  }
  EXPECT_EQ(files, 4u);
}

TEST_F(ExtractPhotos, SuffixesOfAllKindsAreTaken) {
  const auto jpeg = [](int i) {
    return EncodeJpeg(TestPicture(64, 48, 9 * i), 95);
  };
  Save("1.jfif", jpeg(1));
  Save("2.MPO", jpeg(2) + jpeg(9));  // the other eye's picture follows
  Save("3", jpeg(3));
  Save("4.Jpe", jpeg(4));
  EXPECT_EQ(Extract().line, "4 photos");
  for (int i = 1; i <= 4; ++i) {
    const std::string name = FrameName(i, 4, ".jpg");
    EXPECT_GT(Psnr(ReadImage(Frame(name)), TestPicture(64, 48, 9 * i)), 32);
  }
}

TEST_F(ExtractPhotos, OrderIsThatOfPeople) {
  double moved = 0;
  for (const char* name :
       {"b10.jpg", "B9.JPG", "b2.jpg", "b010a.jpg", "a.jpg"}) {
    SaveJpeg(name, TestPicture(16, 12, moved += 5));
  }
  Extract();
  std::vector<std::string> originals;
  for (const ListedFrame& frame : Listed().frames) {
    originals.push_back(frame.original);
  }
  EXPECT_THAT(originals,
              ElementsAre("a.jpg", "b2.jpg", "B9.JPG", "b10.jpg", "b010a.jpg"));
}

TEST_F(ExtractPhotos, CopiesMayBeWrittenEvenOfWhatMayNot) {
  SaveJpeg("1.jpg", TestPicture(16, 12));
  std::filesystem::permissions(context_.capture / "1.jpg",
                               std::filesystem::perms::owner_read);
  Extract();
  const auto permissions =
      std::filesystem::status(Frame("00001.jpg")).permissions();
  EXPECT_EQ(
      permissions,
      std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(ExtractPhotos, NamesMayBeOfAnyBytes) {
  SaveJpeg("M\xfcller.jpg", TestPicture(16, 12));  // Latin-1
  SaveJpeg("Möller.jpg", TestPicture(16, 12, 5));
  EXPECT_EQ(Extract().state, StageResult::State::kDone);
  std::vector<std::string> originals;
  for (const ListedFrame& frame : Listed().frames) {
    originals.push_back(frame.original);
  }
  EXPECT_THAT(originals, UnorderedElementsAre("M\xfcller.jpg", "Möller.jpg"));
}

TEST_F(ExtractPhotos, FocalLengthsReachTheCaptureFile) {
  const std::vector<MixedPhoto> photos =
      WriteMixedPhotos(context_.capture, true);
  SaveJpeg("IMG_17.jpg", TestPicture(104, 71, 500));
  Extract();
  const std::unique_ptr<Stage> check = MakeCheckStage();
  Set(*check, "blur", "0");
  ASSERT_EQ(check->Run(context_).state, StageResult::State::kDone);
  const CaptureFile capture = Capture();
  EXPECT_EQ(capture.kind, "photos");
  ASSERT_EQ(capture.frames.size(), 9u);
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(capture.frames[i].focal, photos[i].focal, 1e-6);
    EXPECT_EQ(capture.frames[i].original, photos[i].name);
  }
  EXPECT_EQ(capture.frames[8].focal, 0);
}

}  // namespace
}  // namespace nerfpipe
