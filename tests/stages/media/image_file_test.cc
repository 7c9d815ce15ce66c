#include "stages/media/image_file.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/media/jpeg.h"
#include "stages/media/orientation.h"
#include "tests/real_data.h"
#include "tests/stages/media/test_pictures.h"
#include "tests/temporary_folder.h"

#include <cstring>
#include <fstream>
#include <map>
#include <string>

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

void Save(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// A JPEG with an EXIF segment that holds nothing but the orientation.
std::string WithOrientation(const std::string& jpeg, int orientation) {
  std::string exif("Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0",
                   25);
  exif += static_cast<char>(orientation);
  exif += std::string(6, '\0');
  std::string segment("\xff\xe1\0", 3);
  segment += static_cast<char>(exif.size() + 2);
  return jpeg.substr(0, 2) + segment + exif + jpeg.substr(2);
}

TEST(ImageFile, OrientationIsBakedIn) {
  const TemporaryFolder folder;
  const Image upright = TestPicture(48, 32);
  // Which orientation undoes which: 6 and 8 turn the two ways.
  const std::map<int, int> inverse = {
      {1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}, {6, 8}, {7, 7}, {8, 6}};
  for (const auto& [orientation, undo] : inverse) {
    const std::string jpeg = EncodeJpeg(ApplyOrientation(upright, undo), 100);
    const std::filesystem::path path = folder.path() / "照片.JPG";
    Save(path, WithOrientation(jpeg, orientation));
    const Image read = ReadImage(path);
    EXPECT_GT(Psnr(read, upright), 40) << "orientation " << orientation;
    EXPECT_EQ(ReadImageSize(path), (ImageSize{48, 32}));
    EXPECT_EQ(ReadImageHeader(path).orientation, orientation);
  }
}

// Editors put XMP behind EXIF, in a segment of the same kind.
TEST(ImageFile, XmpLeavesTheOrientationOfExif) {
  const TemporaryFolder folder;
  std::string xmp("http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>", 41);
  xmp.insert(0, {'\xff', '\xe1', '\0', static_cast<char>(xmp.size() + 2)});
  const std::string plain = EncodeJpeg(TestPicture(48, 32), 90);
  const std::string jpeg = WithOrientation(plain, 6);
  const size_t behind = jpeg.size() - (plain.size() - 2);
  const std::filesystem::path path = folder.path() / "edited.jpg";
  Save(path, jpeg.substr(0, behind) + xmp + jpeg.substr(behind));
  EXPECT_EQ(ReadImageHeader(path).orientation, 6);
  EXPECT_EQ(ReadImageSize(path), (ImageSize{32, 48}));
}

TEST(ImageFile, TurnsAsExifSays) {
  // 6: the first stored row is the right side; 8: the left side, upwards.
  Image row(2, 1, 1);
  row.pixels = {10, 20};
  EXPECT_EQ(ApplyOrientation(row, 6).pixels, (std::vector<uint8_t>{10, 20}));
  EXPECT_EQ(ApplyOrientation(row, 8).pixels, (std::vector<uint8_t>{20, 10}));
  EXPECT_EQ(ApplyOrientation(row, 2).pixels, (std::vector<uint8_t>{20, 10}));
  EXPECT_EQ(ApplyOrientation(row, 6).height, 2);
  // The matrices that phones write for the same turns.
  EXPECT_EQ(OrientationOfMatrix(65536, 0, 0, 65536), 1);
  EXPECT_EQ(OrientationOfMatrix(-65536, 0, 0, -65536), 3);
  EXPECT_EQ(OrientationOfMatrix(0, 65536, -65536, 0), 6);
  EXPECT_EQ(OrientationOfMatrix(0, -65536, 65536, 0), 8);
}

TEST(ImageFile, WritesWhatItReads) {
  const TemporaryFolder folder;
  const Image image = TestPicture(37, 21);
  WriteImage(image, folder.path() / "a.png");
  EXPECT_EQ(image.pixels, TestPicture(37, 21).pixels);  // left alone
  EXPECT_EQ(ReadImage(folder.path() / "a.png").pixels, image.pixels);
  Image cutout(5, 4, 4);
  for (size_t i = 0; i < cutout.pixels.size(); ++i) {
    cutout.pixels[i] = static_cast<uint8_t>(11 * i);
  }
  WriteImage(cutout, folder.path() / "b.png");
  EXPECT_EQ(ReadImage(folder.path() / "b.png", true).pixels, cutout.pixels);
  EXPECT_EQ(ReadImage(folder.path() / "b.png").channels, 3);
  // Only with full-resolution chroma do single columns of colour survive.
  Image stripes(32, 32, 3);
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) stripes.At(x, y)[x % 2 ? 0 : 2] = 200;
  }
  WriteImage(stripes, folder.path() / "c.jpg", 97);
  EXPECT_GT(Psnr(ReadImage(folder.path() / "c.jpg"), stripes), 30);
}

TEST(ImageFile, DamageIsAnErrorNotGray) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "cut.jpg";
  const std::string jpeg = EncodeJpeg(TestPicture(200, 200), 90);
  for (const size_t size : {jpeg.size() / 2, jpeg.size() - 30, size_t{0}}) {
    Save(path, jpeg.substr(0, size));
    EXPECT_THROW(ReadImage(path), UserError) << size;
    EXPECT_THROW(ReadPreview(path, 50), UserError) << size;
  }
  EXPECT_THROW(ReadImage(folder.path() / "none.jpg"), UserError);
  Save(path, "this is text");
  EXPECT_THROW(ReadImage(path), UserError);
}

TEST(ImageFile, PreviewIsSmallButNotTooSmall) {
  const TemporaryFolder folder;
  WriteImage(TestPicture(800, 600), folder.path() / "a.jpg");
  EXPECT_EQ(ReadPreview(folder.path() / "a.jpg", 150).width, 200);
  EXPECT_EQ(ReadPreview(folder.path() / "a.jpg", 201).width, 400);
  EXPECT_EQ(ReadPreview(folder.path() / "a.jpg", 900).width, 800);
}

TEST(ImageFile, RealFilesOfEveryKind) {
  NERFPIPE_NEEDS_REAL_DATA();
  const std::filesystem::path folder = RealData() / "bad/image";
  const std::map<std::string, ImageSize> good = {
      {"HMD_Nokia_8.3_5G.jpg", {4608, 1976}},
      {"IMG_5195.HEIC", {2566, 3313}},
      {"apng_mode_16bit.png", {128, 64}},
      {"apng_mode_grayscale_alpha.png", {128, 64}},
      {"hopper.webp", {128, 128}},
      {"hopper_16bit_qtables.jpg", {128, 128}},
      {"hopper_gray.jpg", {128, 128}},
      {"p_16.png", {128, 128}},
      {"pil_sample_cmyk.jpg", {100, 100}},
      {"tiff_16bit_RGB.tiff", {100, 40}}};
  for (const auto& [name, size] : good) {
    const Image image = ReadImage(folder / name);
    EXPECT_EQ((ImageSize{image.width, image.height}), size) << name;
    EXPECT_EQ(ReadImageSize(folder / name), size) << name;
    EXPECT_EQ(image.channels, 3) << name;
  }
  // The same portrait, turned.
  EXPECT_GT(Psnr(ReadImage(folder / "hopper_orientation_6.webp"),
                 ReadImage(folder / "hopper.webp")),
            25);
  for (const char* name : {"broken.png",
                           "broken_data_stream.png",
                           "truncated_image.png",
                           "truncated_jpeg.jpg"}) {
    EXPECT_THROW(ReadImage(folder / name), UserError) << name;
  }
}

TEST(ImageFile, ASizeThatNoCameraHasIsDamage) {
  const TemporaryFolder folder;
  std::string bitmap(200, '\0');
  bitmap.replace(0, 2, "BM");
  const int32_t side = 40000;
  std::memcpy(bitmap.data() + 18, &side, 4);
  std::memcpy(bitmap.data() + 22, &side, 4);
  std::ofstream(folder.path() / "a.bmp", std::ios::binary) << bitmap;
  try {
    ReadImage(folder.path() / "a.bmp");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_NE(error.problem().find("40000x40000"), std::string::npos)
        << error.problem();
  }
}

TEST(ImageFile, RealPhotosOfEveryOrientationLookAlike) {
  NERFPIPE_NEEDS_REAL_DATA();
  const std::filesystem::path folder =
      RealData() / "bad/image/exif_orientation";
  const Image upright = ReadImage(folder / "Landscape_1.jpg");
  for (int i = 2; i <= 8; ++i) {
    // Each carries its number as text in the middle.
    const Image other =
        ReadImage(folder / ("Landscape_" + std::to_string(i) + ".jpg"));
    EXPECT_GT(Psnr(upright, other), 20) << i;
  }
}

}  // namespace
}  // namespace nerfpipe
