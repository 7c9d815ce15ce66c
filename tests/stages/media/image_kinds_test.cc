// Image files of every kind, and what is said of those that are none.

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/media/image_file.h"
#include "stages/media/jpeg.h"
#include "stages/media/orientation.h"
#include "tests/scenes/orientations.h"
#include "tests/scenes/photos.h"
#include "tests/stages/media/test_pictures.h"
#include "tests/temporary_folder.h"

#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

void Save(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::vector<int> PixelsOf(const Image& image) {
  return {image.pixels.begin(), image.pixels.end()};
}

// The words of the UserError, in full.
std::string ErrorOf(const std::function<void()>& body) {
  try {
    body();
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Orientation, AllEightAreThoseOfExif) {
  // Larger than a tile of 64, and unlike along both sides.
  for (const int channels : {1, 3, 4}) {
    Image upright(131, 70, channels);
    for (size_t i = 0; i < upright.pixels.size(); ++i) {
      upright.pixels[i] = static_cast<uint8_t>(i * 7 + i / 131);
    }
    for (int orientation = 1; orientation <= 8; ++orientation) {
      const Image read =
          ApplyOrientation(AsStored(upright, orientation), orientation);
      EXPECT_EQ(read.width, 131);
      EXPECT_EQ(read.height, 70);
      EXPECT_EQ(read.pixels, upright.pixels) << orientation;
    }
  }
}

TEST(Orientation, IsKnownFromAMatrixThatIsNotQuiteStraight) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const OrientationAxes& axes = kOrientationAxes[orientation];
    EXPECT_EQ(
        OrientationOfMatrix(axes.a + 0.3, axes.b - 0.4, axes.c, axes.d + 0.2),
        orientation);
  }
}

class ImageKinds : public ::testing::Test {
 protected:
  // Reads it from a file; its size is told without decoding.
  Image Read(const std::string& bytes,
             const std::string& name = "a.png",
             bool keep_alpha = false) {
    Save(folder_ / name, bytes);
    const Image image = ReadImage(folder_ / name, keep_alpha);
    EXPECT_EQ(ReadImageSize(folder_ / name),
              (ImageSize{image.width, image.height}));
    return image;
  }

  TemporaryFolder folder_;
};

TEST_F(ImageKinds, GrayBecomesRgb) {
  EXPECT_THAT(PixelsOf(Read(MakePng({2, 1, 8, 0, "\x07\xc8", "", ""}))),
              ElementsAre(7, 7, 7, 200, 200, 200));
  Image gray(2, 3, 1);
  gray.pixels = {10, 20, 30, 40, 50, 60};
  WriteImage(gray, folder_ / "gray.png");
  const Image read = ReadImage(folder_ / "gray.png");
  EXPECT_EQ(read.channels, 3);
  EXPECT_EQ(read.At(1, 2)[2], 60);
  WriteImage(gray, folder_ / "gray.jpg", 100);
  EXPECT_NEAR(ReadImage(folder_ / "gray.jpg").At(1, 2)[2], 60, 2);
  EXPECT_EQ(ReadImageHeader(folder_ / "gray.jpg").channels, 1);
}

TEST_F(ImageKinds, SixteenBitsAreRoundedToEight) {
  // Full scale, the middle, and the places where rounding turns.
  const std::string rows("\xff\xff\x80\x00\x00\x80\x00\x81\x0c\x0c\x00\x00",
                         12);
  EXPECT_THAT(PixelsOf(Read(MakePng({2, 1, 16, 2, rows, "", ""}))),
              ElementsAre(255, 128, 0, 1, 12, 0));
  EXPECT_THAT(PixelsOf(Read(
                  MakePng({1, 1, 16, 0, std::string("\x40\x40", 2), "", ""}))),
              ElementsAre(64, 64, 64));
}

TEST_F(ImageKinds, PaletteBecomesItsColours) {
  const std::string palette = "\x0a\x14\x1e\x28\x32\x3c\x46\x50\x5a";
  EXPECT_THAT(PixelsOf(Read(MakePng(
                  {3, 1, 8, 3, std::string("\x02\x00\x01", 3), palette, ""}))),
              ElementsAre(70, 80, 90, 10, 20, 30, 40, 50, 60));
}

TEST_F(ImageKinds, AlphaIsKeptOnlyWhereItIsWanted) {
  const std::string rows = "\x10\x20\x30\x40\x50\x60\x70\x80";
  const std::string rgba = MakePng({2, 1, 8, 6, rows, "", ""});
  EXPECT_THAT(PixelsOf(Read(rgba)), ElementsAre(16, 32, 48, 80, 96, 112));
  EXPECT_THAT(PixelsOf(Read(rgba, "a.png", true)),
              ElementsAre(16, 32, 48, 64, 80, 96, 112, 128));
  // Of a file without alpha there is none to keep.
  EXPECT_EQ(Read(MakePng({1, 1, 8, 2, "\x01\x02\x03", "", ""}), "b.png", true)
                .channels,
            3);
}

TEST_F(ImageKinds, OrientationOfAPngStandsBehindItsPixels) {
  const Image upright = TestPicture(31, 18);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image stored = AsStored(upright, orientation);
    const std::string rows(stored.pixels.begin(), stored.pixels.end());
    const Image read = Read(MakePng({stored.width,
                                     stored.height,
                                     8,
                                     2,
                                     rows,
                                     "",
                                     ExifStructure(orientation, 30)}));
    EXPECT_EQ(read.pixels, upright.pixels) << orientation;
    const ImageHeader header = ReadImageHeader(folder_ / "a.png");
    EXPECT_EQ(header.orientation, orientation);
    EXPECT_EQ(header.width, stored.width);
    EXPECT_EQ(header.bits, 8);
    EXPECT_EQ(header.channels, 3);
    EXPECT_NEAR(header.focal, 30 / 43.2666, 1e-5);
  }
}

TEST_F(ImageKinds, EvenOfALargePng) {
  // Beyond the first 128 KiB, which are enough for most files.
  const Image upright = TestPicture(127, 170);
  const Image stored = AsStored(upright, 8);
  std::string rows(stored.pixels.begin(), stored.pixels.end());
  std::string png = MakePng(
      {stored.width, stored.height, 8, 2, rows, "", ExifStructure(8, 30)});
  // A chunk of text before the pixels, which no reader looks at.
  png.insert(33,
             std::string("\x00\x02\x00\x00", 4) + "prVt" +
                 std::string(0x20000, 'x') + "\x01\x02\x03\x04");
  Save(folder_ / "a.png", png);
  EXPECT_EQ(ReadImageHeader(folder_ / "a.png").orientation, 8);
  EXPECT_EQ(ReadImageSize(folder_ / "a.png"), (ImageSize{127, 170}));
}

TEST_F(ImageKinds, TiffIsTurnedOnce) {
  const Image upright = TestPicture(31, 18);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image read =
        Read(MakeTiff(AsStored(upright, orientation), orientation), "a.tif");
    EXPECT_EQ(read.pixels, upright.pixels) << orientation;
  }
}

TEST_F(ImageKinds, InkBecomesLight) {
  // R = (1 - C) (1 - K), and so on.
  const uint8_t cmyk[4] = {51, 102, 204, 64};
  for (const bool adobe : {true, false}) {
    const Image read = Read(MakeCmykJpeg(19, 11, cmyk, adobe), "a.jpg");
    EXPECT_EQ(read.channels, 3);
    EXPECT_NEAR(read.At(18, 10)[0], 204 * 191 / 255, 2) << adobe;
    EXPECT_NEAR(read.At(18, 10)[1], 153 * 191 / 255, 2) << adobe;
    EXPECT_NEAR(read.At(18, 10)[2], 51 * 191 / 255, 2) << adobe;
    EXPECT_EQ(ReadImageHeader(folder_ / "a.jpg").channels, 4);
  }
}

TEST_F(ImageKinds, SizesThatNoCameraHasAreRefusedBeforeDecoding) {
  // The largest that is taken has 300 million pixels.
  std::string png = MakePng({1, 1, 8, 2, "\x01\x02\x03", "", ""});
  png.replace(16, 8, std::string("\x00\x00\x4e\x20\x00\x00\x3a\x99", 8));
  Save(folder_ / "a.png", png);  // 20000 x 15001
  EXPECT_THAT(ErrorOf([&] { ReadImage(folder_ / "a.png"); }),
              AllOf(HasSubstr((folder_ / "a.png").string()),
                    HasSubstr("claims to be 20000x15001"),
                    HasSubstr("leave it out")));
  png[23] = '\x98';  // 15000, the most: now it is the pixels that are missing
  Save(folder_ / "a.png", png);
  EXPECT_THAT(ErrorOf([&] { ReadPreview(folder_ / "a.png", 10); }),
              Not(HasSubstr("claims")));
  std::string jpeg = EncodeJpeg(TestPicture(30, 20), 90);
  const size_t frame = jpeg.find("\xff\xc0");
  jpeg.replace(frame + 5, 4, "\xea\x60\xea\x61");
  Save(folder_ / "a.jpg", jpeg);
  EXPECT_THAT(ErrorOf([&] { ReadImage(folder_ / "a.jpg"); }),
              HasSubstr("claims to be 60001x60000"));
}

TEST_F(ImageKinds, PixelsThatAreLostAreDamage) {
  const std::filesystem::path path = folder_ / "a.jpg";
  const std::string jpeg = EncodeJpeg(TestPicture(160, 120), 90);
  const size_t middle = jpeg.size() / 2;
  // Closed properly after half of the pixels.
  Save(path, jpeg.substr(0, middle) + "\xff\xd9");
  EXPECT_THAT(ErrorOf([&] { ReadImage(path); }),
              AllOf(HasSubstr("'" + path.string() + "' is damaged"),
                    HasSubstr("copy it again from the camera")));
  EXPECT_THAT(ErrorOf([&] { ReadPreview(path, 20); }), HasSubstr("damaged"));
  // Bytes behind the end, and padding between the segments, harm nothing.
  const std::string padded =
      jpeg.substr(0, 2) + "\xff\xff" + jpeg.substr(2) + "thumbnail";
  EXPECT_EQ(Read(padded, "a.jpg").pixels, DecodeJpeg(jpeg).pixels);
}

TEST_F(ImageKinds, SidesOfABitmapThatBeginsAtTheTop) {
  std::string bitmap(54 + 8 * 3, '\0');
  bitmap.replace(0, 2, "BM");
  bitmap[10] = 54;                            // where the pixels begin
  bitmap[14] = 40;                            // the newer header
  bitmap[18] = 2;                             // width
  bitmap.replace(22, 4, "\xfd\xff\xff\xff");  // height: -3
  bitmap[26] = 1;
  bitmap[28] = 24;
  for (int i = 0; i < 24; ++i) bitmap[54 + i] = static_cast<char>(5 * i);
  const Image image = Read(bitmap, "a.bmp");
  EXPECT_EQ(image.width, 2);
  EXPECT_EQ(image.height, 3);
  // Rows of blue, green, red, padded to eight bytes.
  EXPECT_EQ(image.At(0, 0)[0], 10);
  EXPECT_EQ(image.At(1, 2)[2], 5 * 19);
}

TEST_F(ImageKinds, WebpSizesAreReadFromEveryKindOfHeader) {
  const auto header = [](const std::string& chunk) {
    return ParseImageHeader(std::string("RIFF\0\0\0\0WEBP", 12) + chunk);
  };
  const ImageHeader lossy =
      header("VP8 " + std::string("\x0a\0\0\0"
                                  "\0\0\0\x9d\x01\x2a\xf2\x43\x07\x81",
                                  14));
  EXPECT_EQ(lossy.width, 1010);
  EXPECT_EQ(lossy.height, 263);
  // 14 bits each, less one: 1000 and 300.
  const ImageHeader lossless =
      header("VP8L" + std::string("\x05\0\0\0"
                                  "\x2f\xe7\xc3\x4a\x10\0",
                                  10));
  EXPECT_EQ(lossless.width, 1000);
  EXPECT_EQ(lossless.height, 300);
  const ImageHeader extended =
      header("VP8X" +
             std::string("\x0a\0\0\0"
                         "\x08\0\0\0\xe7\x03\0\x2b\x01\0",
                         14) +
             "VP8 " +
             std::string("\x0a\0\0\0"
                         "\0\0\0\x9d\x01\x2a\x01\0\x01\0",
                         14) +
             "EXIF" + std::string("\x2a\0\0\0", 4) + ExifStructure(7, 35));
  EXPECT_EQ(extended.width, 1000);
  EXPECT_EQ(extended.height, 300);
  EXPECT_EQ(extended.format, ImageHeader::Format::kWebp);
}

TEST_F(ImageKinds, SuffixesTellWhatIsTaken) {
  for (const char* name : {"a.jpg",
                           "a.JPEG",
                           "a.jpe",
                           "a.JFIF",
                           "a.mpo",
                           "a.Png",
                           "a.webp",
                           "a.tif",
                           "a.TIFF",
                           "a.bmp",
                           "a.HEIC",
                           "a.heif",
                           "a.hif",
                           "a.avif"}) {
    EXPECT_TRUE(HasImageSuffix(name)) << name;
    EXPECT_FALSE(HasForeignImageSuffix(name)) << name;
  }
  for (const char* name : {"a.DNG",
                           "a.cr2",
                           "a.CR3",
                           "a.nef",
                           "a.arw",
                           "a.orf",
                           "a.rw2",
                           "a.raf",
                           "a.jp2",
                           "a.jxl"}) {
    EXPECT_FALSE(HasImageSuffix(name)) << name;
    EXPECT_TRUE(HasForeignImageSuffix(name)) << name;
  }
  for (const char* name : {"jpg", "a.txt", "a.jpg.part", ".jpg"}) {
    EXPECT_FALSE(HasImageSuffix(name)) << name;
    EXPECT_FALSE(HasForeignImageSuffix(name)) << name;
  }
}

TEST_F(ImageKinds, TroubleNamesTheFileAndTheRemedy) {
  const std::filesystem::path none = folder_ / "none.jpg";
  EXPECT_THAT(ErrorOf([&] { ReadImage(none); }),
              AllOf(HasSubstr(none.string()), HasSubstr(";")));
  EXPECT_THAT(ErrorOf([&] { ReadImageHeader(none); }),
              HasSubstr(none.string()));
  const std::filesystem::path empty = folder_ / "empty.jpg";
  Save(empty, "");
  for (const std::string& words : {ErrorOf([&] { ReadImage(empty); }),
                                   ErrorOf([&] { ReadImageSize(empty); })}) {
    EXPECT_THAT(words,
                AllOf(HasSubstr("'" + empty.string() + "' is empty"),
                      HasSubstr("copy it again from the camera")));
  }
  const std::filesystem::path away = folder_ / "none/a.png";
  EXPECT_THAT(ErrorOf([&] { WriteImage(TestPicture(3, 2), away); }),
              AllOf(HasSubstr("cannot write " + away.string()),
                    HasSubstr("choose a folder you may write to")));
  // More than 65500 on a side have no JPEG.
  EXPECT_THAT(
      ErrorOf([&] { WriteImage(Image(65600, 1, 3), folder_ / "wide.jpg"); }),
      AllOf(HasSubstr("65600x1"), HasSubstr("use PNG")));
}

TEST_F(ImageKinds, QualityIsThatOfTheFile) {
  // The first step of the luma table is 16 at 50, and 1 at 100 (T.81, K.1).
  const auto first_step = [&](int quality) {
    WriteImage(TestPicture(40, 30), folder_ / "a.jpg", quality);
    const std::string bytes = ReadFile(folder_ / "a.jpg");
    return static_cast<int>(
        static_cast<uint8_t>(bytes[bytes.find("\xff\xdb") + 5]));
  };
  EXPECT_EQ(first_step(50), 16);
  EXPECT_EQ(first_step(75), 8);
  EXPECT_EQ(first_step(100), 1);
}

TEST_F(ImageKinds, ChromaIsHalvedOnlyWhenAsked) {
  Image stripes(32, 32, 3);
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) stripes.At(x, y)[x % 2 ? 0 : 2] = 200;
  }
  EXPECT_GT(Psnr(DecodeJpeg(EncodeJpeg(stripes, 95)), stripes), 30);
  EXPECT_LT(
      Psnr(DecodeJpeg(EncodeJpeg(stripes, 95, JpegChroma::kHalf)), stripes),
      15);
}

TEST_F(ImageKinds, PreviewsLieUprightToo) {
  const Image upright = TestPicture(160, 240);
  Save(folder_ / "a.jpg",
       WithExif(EncodeJpeg(AsStored(upright, 6), 95), 6, 28));
  const Image preview = ReadPreview(folder_ / "a.jpg", 120);
  EXPECT_EQ(preview.width, 80);
  EXPECT_EQ(preview.height, 120);
  EXPECT_EQ(ReadPreview(folder_ / "a.jpg", 121).height, 240);
  EXPECT_EQ(ReadPreview(folder_ / "a.jpg", 30).height, 30);
  for (int y = 10; y < 120; y += 17) {
    for (int x = 10; x < 80; x += 13) {
      int mean = 0;
      for (int k = 0; k < 4; ++k) {
        mean += upright.At(2 * x + k % 2, 2 * y + k / 2)[1];
      }
      EXPECT_NEAR(preview.At(x, y)[1], mean / 4.0, 8);
    }
  }
}

}  // namespace
}  // namespace nerfpipe
