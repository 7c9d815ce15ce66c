#include "stages/media/file_kind.h"

#include "stages/media/jpeg.h"
#include "tests/scenes/photos.h"
#include "tests/stages/media/test_pictures.h"
#include "tests/temporary_folder.h"

#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

class FileKind : public testing::Test {
 protected:
  bool IsImage(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return IsImageFile(folder_ / name);
  }

  const TemporaryFolder folder_;
};

TEST_F(FileKind, WithoutASuffixTheFirstBytesTell) {
  const Image picture = TestPicture(19, 14);
  const std::string rows(picture.pixels.begin(), picture.pixels.end());
  const std::string bmp = {'B', 'M', 70, 2, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40};
  EXPECT_TRUE(IsImage("IMG_0007", EncodeJpeg(picture, 90)));
  EXPECT_TRUE(IsImage("walk 2026.11.30", EncodeJpeg(picture, 90)));
  EXPECT_TRUE(IsImage("b", MakePng({19, 14, 8, 2, rows, "", ""})));
  EXPECT_TRUE(IsImage("c", MakeTiff(picture, 1)));
  EXPECT_TRUE(IsImage("d", bmp + std::string(30, '\0')));
  EXPECT_FALSE(IsImage("notes", "BMW or no BMW, this is a text about cars"));
  EXPECT_FALSE(IsImage("short", "BM"));
  EXPECT_FALSE(IsImage("empty", ""));
}

TEST_F(FileKind, WithASuffixThatCounts) {
  const std::string jpeg = EncodeJpeg(TestPicture(19, 14), 90);
  EXPECT_FALSE(IsImage("IMG_0007.JPG_original", jpeg));  // exiftool's
  EXPECT_FALSE(IsImage("IMG_0007.jpg.part", jpeg));
  EXPECT_FALSE(IsImage("walk.3gp", jpeg));
  EXPECT_TRUE(IsImage("IMG_0007.JFIF", "not even that"));
}

TEST_F(FileKind, VideosAreKnownByTheirSuffix) {
  for (const char* name : {"a.mp4", "a.MOV", "a.m2ts", "a.3GP", "a.gif"}) {
    EXPECT_TRUE(HasVideoSuffix(name)) << name;
  }
  // Small copies and thumbnails that action cameras write beside.
  for (const char* name : {"mp4", "a.LRV", "a.THM", "a.jpg"}) {
    EXPECT_FALSE(HasVideoSuffix(name)) << name;
  }
}

}  // namespace
}  // namespace nerfpipe
