// Clips as they come: uneven rates, edit lists, oblong pixels, any orientation.

#include "pipeline/base/error.h"
#include "stages/media/video_reader.h"
#include "tests/scenes/clips.h"
#include "tests/scenes/orientations.h"
#include "tests/stages/media/test_pictures.h"
#include "tests/temporary_folder.h"

#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

ClipPicture Numbered(const ClipSpec& spec) {
  return [&spec](int i) { return NumberedPicture(i, spec.width, spec.height); };
}

// Reads all of a clip: frame k of the file shows picture number first + k, and
// its time is that of its stamp.
void ExpectTimesOfStamps(const ClipSpec& spec,
                         const std::filesystem::path& path,
                         int first = 0) {
  SCOPED_TRACE(path.filename());
  const auto shown = static_cast<int64_t>(spec.stamps.size()) - first;
  const auto at = [&](int64_t k) {
    return static_cast<double>(spec.stamps[static_cast<size_t>(first + k)]);
  };
  const double span = (at(shown - 1) - at(0)) / spec.ticks;
  const double mean = span / static_cast<double>(shown - 1);
  VideoReader counting(path, 2);
  VideoReader again(counting, 1);
  for (VideoReader* reader : {&counting, &again}) {
    EXPECT_EQ(reader->info().frames, shown);
    EXPECT_EQ(reader->info().missing_frames, 0);
    EXPECT_NEAR(reader->info().frames_per_second, 1 / mean, 1e-9 / mean);
    EXPECT_NEAR(reader->info().duration, span + mean, 1e-9);
    for (int64_t k = 0; k < shown; ++k) {
      const std::optional<VideoFrame> frame = reader->Next();
      ASSERT_TRUE(frame.has_value());
      EXPECT_EQ(frame->index(), k);
      EXPECT_NEAR(frame->time(), (at(k) - at(0)) / spec.ticks, 1e-9) << k;
      EXPECT_EQ(NumberIn(frame->ToImage()), first + k);
      EXPECT_EQ(NumberIn(frame->ToGrayPreview(90)), first + k);
    }
    EXPECT_FALSE(reader->Next().has_value());
  }
}

TEST(Clips, TimesAreThoseOfTheStamps) {
  const TemporaryFolder folder;
  ClipSpec spec;
  spec.stamps = UnevenStamps(23, 0);
  WriteClip(spec, folder / "a.mkv", Numbered(spec));
  ExpectTimesOfStamps(spec, folder / "a.mkv");
  spec.b_frames = 3;
  spec.ticks = 600;
  WriteClip(spec, folder / "b.mp4", Numbered(spec));
  ExpectTimesOfStamps(spec, folder / "b.mp4");
}

TEST(Clips, TimesCountFromTheFirstFrame) {
  const TemporaryFolder folder;
  ClipSpec spec;
  spec.stamps = UnevenStamps(9, 3217);
  WriteClip(spec, folder / "a.mkv", Numbered(spec));
  ExpectTimesOfStamps(spec, folder / "a.mkv");
  spec.ticks = 600;
  WriteClip(spec, folder / "b.mov", Numbered(spec));
  ExpectTimesOfStamps(spec, folder / "b.mov");
}

TEST(Clips, WhatAnEditListCutsAwayIsNotThere) {
  const TemporaryFolder folder;
  ClipSpec spec;
  spec.ticks = 600;
  spec.stamps = UnevenStamps(20, 0);
  constexpr int kCut = 7;
  const int64_t shift = spec.stamps[kCut];
  for (int64_t& stamp : spec.stamps) stamp -= shift;
  WriteClip(spec, folder / "a.mp4", Numbered(spec));
  ExpectTimesOfStamps(spec, folder / "a.mp4", kCut);
}

TEST(Clips, TimesOfWantedFramesAreThoseOfAllFrames) {
  const TemporaryFolder folder;
  ClipSpec spec;
  spec.stamps = UnevenStamps(40, 500);
  spec.b_frames = 2;
  WriteClip(spec, folder / "a.mp4", Numbered(spec));
  VideoReader reader(folder / "a.mp4", 2);
  reader.DecodeOnly({5, 6, 31});
  std::set<int64_t> left = {5, 6, 31};
  while (const std::optional<VideoFrame> frame = reader.Next()) {
    const int64_t stamp = spec.stamps[static_cast<size_t>(frame->index())];
    EXPECT_NEAR(
        frame->time(), static_cast<double>(stamp - 500) / spec.ticks, 1e-9);
    EXPECT_EQ(NumberIn(frame->ToImage()), frame->index());
    left.erase(frame->index());
  }
  EXPECT_TRUE(left.empty());
}

TEST(Clips, DamagedFramesKeepTheirNumbersAndTimes) {
  const TemporaryFolder folder;
  ClipSpec spec;
  spec.stamps = UnevenStamps(12, 40);
  spec.encoder = "mjpeg";
  spec.colours = ClipColours::k709Full;
  spec.damaged = {0, 4, 5, 11};
  WriteClip(spec, folder / "a.mkv", Numbered(spec));
  VideoReader reader(folder / "a.mkv");
  EXPECT_EQ(reader.info().frames, 12);
  std::vector<int64_t> read;
  while (const std::optional<VideoFrame> frame = reader.Next()) {
    const int64_t stamp = spec.stamps[static_cast<size_t>(frame->index())];
    EXPECT_NEAR(frame->time(), static_cast<double>(stamp - 40) / 1000, 1e-9);
    EXPECT_EQ(NumberIn(frame->ToImage()), frame->index());
    read.push_back(frame->index());
  }
  EXPECT_EQ(read, (std::vector<int64_t>{1, 2, 3, 6, 7, 8, 9, 10}));
  EXPECT_EQ(reader.damaged(), 4);
}

// A smooth pattern at any place of the stored picture.
double Wave(double x, double y) {
  return 128 + 60 * std::sin(x / 9) * std::cos(y / 7) + 30 * std::sin(y / 13);
}

Image Waves(int width, int height, double step_x) {
  Image image(width, height, 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double value = Wave((x + 0.5) * step_x, y + 0.5);
      std::fill_n(image.At(x, y), 3, static_cast<uint8_t>(value + 0.5));
    }
  }
  return image;
}

TEST(Clips, PixelsBecomeSquare) {
  // 174 pixels of these aspects; then what nobody should act upon: a header's
  // rounding, and nonsense.
  const std::vector<std::tuple<int, int, int>> cases = {{16, 11, 253},
                                                        {8, 9, 155},
                                                        {3, 4, 131},
                                                        {64, 45, 247},
                                                        {200, 199, 174},
                                                        {98, 97, 176},
                                                        {9, 2, 174},
                                                        {2, 9, 174}};
  const TemporaryFolder folder;
  for (const auto& [wide, high, width] : cases) {
    for (const char* name : {"a.mkv", "a.mp4"}) {
      SCOPED_TRACE(std::to_string(wide) + ":" + std::to_string(high) + name);
      ClipSpec spec;
      spec.stamps = {0, 40};
      spec.pixel_width = wide;
      spec.pixel_height = high;
      const std::filesystem::path path = folder / name;
      WriteClip(spec, path, [](int) { return Waves(174, 98, 1); });
      VideoReader reader(path);
      EXPECT_EQ(reader.info().width, width);
      EXPECT_EQ(reader.info().height, 98);
      const std::optional<VideoFrame> frame = reader.Next();
      EXPECT_GT(Psnr(frame->ToImage(), Waves(width, 98, 174.0 / width)), 38);
      const Image preview = frame->ToGrayPreview(80);
      EXPECT_EQ(preview.width, 80);
      EXPECT_EQ(preview.height, std::lround(98 * 80.0 / width));
      EXPECT_EQ(frame->ToGrayPreview(400).width, width);
    }
  }
}

TEST(Clips, EveryDisplayMatrixStandsUpright) {
  const TemporaryFolder folder;
  for (int orientation = 1; orientation <= 8; ++orientation) {
    SCOPED_TRACE(orientation);
    ClipSpec spec;
    spec.stamps = {0, 33};
    spec.orientation = orientation;
    const Image upright = NumberedPicture(1234, 150, 98);
    const Image stored = AsStored(upright, orientation);
    spec.width = stored.width;
    spec.height = stored.height;
    WriteClip(spec, folder / "a.mov", [&](int) { return stored; });
    VideoReader reader(folder / "a.mov");
    EXPECT_EQ(reader.info().width, 150);
    EXPECT_EQ(reader.info().height, 98);
    EXPECT_EQ(reader.info().orientation, orientation);
    const std::optional<VideoFrame> frame = reader.Next();
    EXPECT_GT(Psnr(frame->ToImage(), upright), 28);
    EXPECT_EQ(NumberIn(frame->ToGrayPreview(120)), 1234);
    EXPECT_EQ(frame->ToGrayPreview(120).height, 78);
  }
}

TEST(Clips, OblongPixelsOfATurnedClipAreTurnedToo) {
  const TemporaryFolder folder;
  ClipSpec spec;
  spec.stamps = {0, 33};
  spec.orientation = 6;
  spec.pixel_width = 4;
  spec.pixel_height = 3;
  spec.width = 98;
  spec.height = 174;
  const Image stored = AsStored(NumberedPicture(77, 174, 98), 6);
  WriteClip(spec, folder / "a.mov", [&](int) { return stored; });
  VideoReader reader(folder / "a.mov");
  EXPECT_EQ(reader.info().width, 174);
  EXPECT_EQ(reader.info().height, 131);
  const Image image = reader.Next()->ToImage();
  EXPECT_EQ(image.width, 174);
  EXPECT_EQ(image.height, 131);
  EXPECT_EQ(NumberIn(image), 77);
}

TEST(Clips, OddSidesAreKept) {
  const TemporaryFolder folder;
  ClipSpec spec;
  spec.width = 131;
  spec.height = 77;
  spec.stamps = {0, 40, 90};
  WriteClip(spec, folder / "a.mkv", Numbered(spec));
  VideoReader reader(folder / "a.mkv");
  EXPECT_EQ(reader.info().codec, "ffv1");
  for (int i = 0; i < 3; ++i) {
    const Image image = reader.Next()->ToImage();
    EXPECT_EQ(image.width, 131);
    EXPECT_EQ(image.height, 77);
    EXPECT_GT(Psnr(image, NumberedPicture(i, 131, 77)), 30);
  }
}

}  // namespace
}  // namespace nerfpipe
