// Colours and fields of clips, whatever their tags say.

#include "stages/media/video_reader.h"
#include "tests/scenes/clips.h"
#include "tests/stages/media/test_pictures.h"
#include "tests/temporary_folder.h"

#include <array>
#include <cmath>
#include <optional>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using Colour = std::array<uint8_t, 3>;

const std::vector<Colour> kColours = {{203, 41, 38},
                                      {37, 190, 55},
                                      {44, 52, 208},
                                      {222, 200, 31},
                                      {251, 250, 249},
                                      {4, 5, 6}};

ClipPicture Flat(const ClipSpec& spec) {
  return [&spec](int i) {
    Image image(spec.width, spec.height, 3);
    for (size_t k = 0; k < image.pixels.size(); ++k) {
      image.pixels[k] = kColours[static_cast<size_t>(i)][k % 3];
    }
    return image;
  };
}

void ExpectColours(ClipSpec spec, int tolerance = 2) {
  const TemporaryFolder folder;
  spec.stamps = UnevenStamps(static_cast<int>(kColours.size()), 0);
  WriteClip(spec, folder / "a.mkv", Flat(spec));
  VideoReader reader(folder / "a.mkv");
  EXPECT_EQ(reader.info().hdr, "");
  for (const Colour& colour : kColours) {
    const Image image = reader.Next()->ToImage();
    for (const auto& [x, y] :
         {std::pair(0, 0), std::pair(image.width - 1, 5)}) {
      for (size_t c = 0; c < 3; ++c) {
        EXPECT_NEAR(image.At(x, y)[c], colour[c], tolerance) << c;
      }
    }
  }
}

TEST(ClipColours, GoByTheTags) {
  for (const ClipColours colours : {ClipColours::k601,
                                    ClipColours::k709,
                                    ClipColours::k709Full,
                                    ClipColours::k2020}) {
    // The common formats, others, and those that are widened.
    for (const auto& [full_chroma, pixel_width] :
         {std::pair(false, 3), std::pair(true, 3), std::pair(false, 4)}) {
      SCOPED_TRACE(static_cast<int>(colours) * 100 + full_chroma * 10 +
                   pixel_width);
      ClipSpec spec;
      spec.width = 62;
      spec.height = 46;
      spec.colours = colours;
      spec.full_chroma = full_chroma;
      spec.pixel_width = pixel_width;
      spec.pixel_height = 3;
      ExpectColours(spec);
    }
  }
}

TEST(ClipColours, GoByTheSizeWithoutTags) {
  using Case = std::tuple<int, int, ClipColours>;
  for (const auto& [width, height, colours] :
       {Case{62, 46, ClipColours::kUntagged601},
        Case{1278, 22, ClipColours::kUntagged601},
        Case{1280, 22, ClipColours::kUntagged709},
        Case{22, 1280, ClipColours::kUntagged709},
        Case{576, 576, ClipColours::kUntagged601},
        Case{578, 578, ClipColours::kUntagged709}}) {
    SCOPED_TRACE(std::to_string(width) + "x" + std::to_string(height));
    ClipSpec spec;
    spec.width = width;
    spec.height = height;
    spec.colours = colours;
    ExpectColours(spec);
  }
}

// 10-bit grays of these signals, 0 to 1.
std::vector<int> GraysOf(ClipColours colours,
                         const std::string& name,
                         const std::vector<double>& signals) {
  const TemporaryFolder folder;
  ClipSpec spec;
  spec.width = 62;
  spec.height = 46;
  spec.colours = colours;
  spec.stamps = UnevenStamps(static_cast<int>(signals.size()), 0);
  WriteClip(spec, folder / "a.mkv", [&](int i) {
    Image image(62, 46, 3);
    const double value = 255 * signals[static_cast<size_t>(i)];
    for (uint8_t& pixel : image.pixels) {
      pixel = static_cast<uint8_t>(value + 0.5);
    }
    return image;
  });
  VideoReader reader(folder / "a.mkv");
  EXPECT_EQ(reader.info().hdr, name);
  std::vector<int> grays;
  while (const std::optional<VideoFrame> frame = reader.Next()) {
    grays.push_back(*frame->ToImage().At(30, 20));
  }
  return grays;
}

TEST(ClipColours, HighDynamicRangeIsBroughtToTheStandardRange) {
  // PQ: black, half of reference white (101.5 cd/m2), 1000 cd/m2 and above.
  const std::vector<int> pq =
      GraysOf(ClipColours::kPq, "PQ", {0, 0.5098, 0.7529, 1});
  ASSERT_EQ(pq.size(), 4u);
  EXPECT_NEAR(pq[0], 0, 1);
  EXPECT_NEAR(pq[1], 188, 2);
  EXPECT_NEAR(pq[2], 255, 1);
  EXPECT_NEAR(pq[3], 255, 0);
  // HLG: a signal of 0.5 is 50.9 cd/m2 on a display of 1000, a quarter of
  // reference white (a twelfth of scene light, to the power of 1.2).
  const std::vector<int> hlg = GraysOf(ClipColours::kHlg, "HLG", {0, 0.502, 1});
  ASSERT_EQ(hlg.size(), 3u);
  EXPECT_NEAR(hlg[0], 0, 1);
  EXPECT_NEAR(hlg[1], 137, 2);
  EXPECT_NEAR(hlg[2], 255, 1);
}

ClipSpec Woven() {
  ClipSpec spec;
  spec.width = 194;
  spec.height = 108;
  spec.interlaced = true;
  spec.stamps = UnevenStamps(9, 120);
  return spec;
}

Image Half(int i) { return TestPicture(194, 108, 5 * i, 0); }

TEST(Interlaced, FieldsBecomeWholePicturesOfTheirFirstMoment) {
  const TemporaryFolder folder;
  const ClipSpec spec = Woven();
  WriteClip(spec, folder / "a.mkv", Half);
  VideoReader reader(folder / "a.mkv", 2);
  EXPECT_EQ(reader.info().frames, 9);
  for (int i = 0; i < 9; ++i) {
    const std::optional<VideoFrame> frame = reader.Next();
    ASSERT_TRUE(frame.has_value()) << i;
    EXPECT_EQ(frame->index(), i);
    const int64_t stamp = spec.stamps[static_cast<size_t>(i)];
    EXPECT_NEAR(frame->time(), static_cast<double>(stamp - 120) / 1000, 1e-9);
    const Image image = frame->ToImage();
    EXPECT_GT(Psnr(image, Half(2 * i)), 26) << i;
    EXPECT_LT(Psnr(image, Half(2 * i + 1)), 22) << i;
  }
  EXPECT_FALSE(reader.Next().has_value());
}

TEST(Interlaced, OthersPassUnchanged) {
  const TemporaryFolder folder;
  ClipSpec spec = Woven();
  spec.flagged = false;
  WriteClip(spec, folder / "a.mkv", Half);
  const Image image = VideoReader(folder / "a.mkv").Next()->ToImage();
  const Image halves[2] = {Half(0), Half(1)};
  // Every other row is of the later moment.
  for (int y = 20; y < 24; ++y) {
    double first = 0;
    double second = 0;
    for (int x = 0; x < image.width; ++x) {
      first += std::abs(image.At(x, y)[1] - halves[0].At(x, y)[1]);
      second += std::abs(image.At(x, y)[1] - halves[1].At(x, y)[1]);
    }
    EXPECT_EQ(first < second, y % 2 == 0) << y;
  }
}

}  // namespace
}  // namespace nerfpipe
