#include "stages/media/exif.h"

#include "stages/media/image_file.h"
#include "tests/real_data.h"
#include "tests/scenes/photos.h"
#include "tests/stages/media/test_pictures.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

constexpr uint32_t kShort = 3;
constexpr uint32_t kLong = 4;
constexpr uint32_t kRational = 5;

struct Tag {
  uint32_t tag;
  uint32_t type;
  uint32_t value;
  uint32_t below = 1;  // of a rational
};

// A TIFF structure with a turned picture and a directory of EXIF.
std::string Exif(bool little_endian, const std::vector<Tag>& tags) {
  std::string bytes;
  const auto put = [&](uint32_t value, int count) {
    for (int i = 0; i < count; ++i) {
      bytes += static_cast<char>(
          value >> 8 * (little_endian ? i : count - 1 - i) & 255);
    }
  };
  bytes = little_endian ? "II" : "MM";
  put(42, 2);
  put(8, 4);
  put(2, 2);
  for (const auto& [tag, type, value] :
       {std::tuple(0x0112u, kShort, 6u), std::tuple(0x8769u, kLong, 38u)}) {
    put(tag, 2);
    put(type, 2);
    put(1, 4);
    put(value, type == kShort ? 2 : 4);
    if (type == kShort) put(0, 2);
  }
  put(0, 4);
  const size_t rationals = 38 + 2 + 12 * tags.size() + 4;
  put(static_cast<uint32_t>(tags.size()), 2);
  for (size_t i = 0; i < tags.size(); ++i) {
    put(tags[i].tag, 2);
    put(tags[i].type, 2);
    put(1, 4);
    if (tags[i].type == kRational) {
      put(static_cast<uint32_t>(rationals + 8 * i), 4);
    } else {
      put(tags[i].value, tags[i].type == kShort ? 2 : 4);
      if (tags[i].type == kShort) put(0, 2);
    }
  }
  put(0, 4);
  for (const Tag& tag : tags) {
    put(tag.value, 4);
    put(tag.below, 4);
  }
  return bytes;
}

TEST(ParseExif, TakesTheEquivalentOnFilm) {
  for (const bool little_endian : {false, true}) {
    const ExifFacts facts =
        ParseExif(Exif(little_endian, {{0xa405, kShort, 26}}));
    EXPECT_EQ(facts.orientation, 6);
    EXPECT_NEAR(facts.focal, 26 / 43.2666, 1e-5);
  }
  EXPECT_EQ(ParseExif(Exif(true, {{0xa405, kShort, 0}})).focal, 0);
}

TEST(ParseExif, OrTheSensor) {
  // 4000 x 3000 pixels of a sensor with 200 pixels a millimetre behind 12
  // mm: 2400 pixels of 5000.
  const std::vector<Tag> tags = {{0x920a, kRational, 120, 10},
                                 {0xa002, kLong, 4000},
                                 {0xa003, kShort, 3000},
                                 {0xa20e, kRational, 2000, 1},
                                 {0xa210, kShort, 3}};
  EXPECT_NEAR(
      ParseExif("Exif" + std::string(2, '\0') + Exif(false, tags)).focal,
      0.48,
      1e-12);
  std::vector<Tag> inches = tags;
  inches[4].value = 2;
  EXPECT_NEAR(ParseExif(Exif(true, inches)).focal, 0.48 / 2.54, 1e-12);
  std::vector<Tag> no_size = tags;
  no_size.erase(no_size.begin() + 1, no_size.begin() + 3);
  EXPECT_EQ(ParseExif(Exif(true, no_size)).focal, 0);
}

TEST(ParseExif, BelievesOnlyLensesThatThereAre) {
  // From a tenth of the diagonal (4.3 mm on film) to twenty times (865 mm).
  const auto focal = [](uint32_t mm) {
    return ParseExif(Exif(true, {{0xa405, kShort, mm}})).focal;
  };
  EXPECT_EQ(focal(4), 0);
  EXPECT_NEAR(focal(5), 5 / 43.2666, 1e-5);
  EXPECT_NEAR(focal(865), 865 / 43.2666, 1e-3);
  EXPECT_EQ(focal(866), 0);
}

TEST(ParseExif, OrientationsThatThereAreNotCountAsUpright) {
  for (const int orientation : {0, 1, 8, 9, 65535}) {
    const int expected = orientation == 8 ? 8 : 1;
    EXPECT_EQ(ParseExif(ExifStructure(orientation, 30)).orientation, expected)
        << orientation;
  }
}

TEST(ParseExif, LeavesOutWhatIsCutOff) {
  const std::string whole =
      Exif(true, {{0x920a, kRational, 60, 10}, {0xa405, kShort, 26}});
  for (size_t size = 0; size < whole.size(); ++size) {
    const ExifFacts facts = ParseExif(whole.substr(0, size));
    EXPECT_TRUE(facts.focal == 0 || size >= 38 + 2 + 24);
  }
}

TEST(ImageHeader, RealPhotosTellTheirFocalLength) {
  NERFPIPE_NEEDS_REAL_DATA();
  const std::filesystem::path folder = RealData() / "bad/image";
  const double film = 43.2666;
  EXPECT_NEAR(ReadImageHeader(folder / "IMG_5195.HEIC").focal, 26 / film, 1e-5);
  EXPECT_NEAR(
      ReadImageHeader(folder / "iphone_hdr_YES.jpg").focal, 57 / film, 1e-5);
  EXPECT_EQ(ReadImageHeader(folder / "hopper.webp").focal, 0);
}

}  // namespace
}  // namespace nerfpipe
