#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/media/tone_map.h"
#include "stages/media/video_reader.h"
#include "stages/media/video_writer.h"
#include "tests/real_data.h"
#include "tests/stages/media/test_pictures.h"
#include "tests/temporary_folder.h"

#include <cmath>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nerfpipe {
namespace {

using ::testing::HasSubstr;

Image Moving(int i) { return TestPicture(160, 90, 3 * i, i); }

void WriteMoving(const std::filesystem::path& path, int frames, int crf = 10) {
  VideoWriter writer(path, 160, 90, 25, crf);
  for (int i = 0; i < frames; ++i) writer.Write(Moving(i));
  writer.Finish();
}

struct Seen {
  int64_t frames = 0;
  int64_t damaged = 0;
  double last_time = -1;
  bool ascending = true;
};

Seen ReadAll(const std::filesystem::path& path) {
  VideoReader reader(path, 2);
  Seen seen;
  while (const std::optional<VideoFrame> frame = reader.Next()) {
    seen.ascending &= frame->time() > seen.last_time;
    seen.ascending &= frame->index() == seen.frames;
    seen.last_time = frame->time();
    ++seen.frames;
  }
  seen.damaged = reader.damaged();
  return seen;
}

Image FrameOf(const std::filesystem::path& path, int64_t index) {
  VideoReader reader(path, 2);
  while (const std::optional<VideoFrame> frame = reader.Next()) {
    if (frame->index() == index) return frame->ToImage();
  }
  return Image();
}

TEST(Video, ComesBackAsItWasWritten) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "a: b.mp4";
  WriteMoving(path, 60);
  VideoReader reader(path, 2);
  EXPECT_EQ(reader.info().frames, 60);
  EXPECT_EQ(reader.info().missing_frames, 0);
  EXPECT_EQ(reader.info().width, 160);
  EXPECT_EQ(reader.info().height, 90);
  EXPECT_EQ(reader.info().codec, "h264");
  EXPECT_NEAR(reader.info().frames_per_second, 25, 1e-6);
  EXPECT_NEAR(reader.info().duration, 60 / 25.0, 1e-6);
  for (int i = 0; i < 60; ++i) {
    const std::optional<VideoFrame> frame = reader.Next();
    ASSERT_TRUE(frame.has_value());
    EXPECT_EQ(frame->index(), i);
    EXPECT_NEAR(frame->time(), i / 25.0, 1e-6);
    EXPECT_GT(Psnr(frame->ToImage(), Moving(i)), 33) << i;
  }
  EXPECT_FALSE(reader.Next().has_value());
  EXPECT_EQ(reader.damaged(), 0);
}

TEST(Video, ColoursSurvive) {
  // A wrong matrix or range moves one of these by 8 or more.
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "flat.mp4";
  Image flat(64, 64, 3);
  const std::vector<std::vector<int>> colours = {
      {200, 40, 40}, {40, 200, 40}, {40, 40, 200}, {255, 255, 255}, {0, 0, 0}};
  VideoWriter writer(path, 64, 64, 10, 4);
  for (const std::vector<int>& colour : colours) {
    for (size_t i = 0; i < flat.pixels.size(); ++i) {
      flat.pixels[i] = static_cast<uint8_t>(colour[i % 3]);
    }
    writer.Write(flat);
  }
  writer.Finish();
  VideoReader reader(path);
  for (const std::vector<int>& colour : colours) {
    const Image image = reader.Next()->ToImage();
    for (size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(image.At(32, 32)[c], colour[c], 3);
    }
  }
}

TEST(Video, OddSizesArePadded) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "odd.mp4";
  VideoWriter writer(path, 33, 17, 10);
  const Image picture = TestPicture(33, 17);
  writer.Write(picture);
  writer.Finish();
  const Image read = FrameOf(path, 0);
  EXPECT_EQ(read.width, 34);
  EXPECT_EQ(read.height, 18);
  for (int c = 0; c < 3; ++c) {
    EXPECT_NEAR(read.At(33, 17)[c], picture.At(32, 16)[c], 16);
  }
}

TEST(Video, EqualFramesGiveEqualBytes) {
  const TemporaryFolder folder;
  WriteMoving(folder.path() / "a.mp4", 30, 18);
  WriteMoving(folder.path() / "b.mp4", 30, 18);
  const std::string a = ReadFile(folder.path() / "a.mp4");
  EXPECT_EQ(a, ReadFile(folder.path() / "b.mp4"));
  // Playing can begin before all is loaded.
  EXPECT_LT(a.find("moov"), a.find("mdat"));
}

TEST(Video, UnfinishedFileIsDiscarded) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "a.mp4";
  {
    VideoWriter writer(path, 32, 32, 10);
    writer.Write(Image(32, 32, 3));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Video, SkippingOthersDoesNotChangeTheWanted) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "a.mp4";
  WriteMoving(path, 60);
  VideoReader reader(path, 2);
  const std::vector<int64_t> wanted = {0, 7, 8, 21, 59};
  reader.DecodeOnly(wanted);
  std::set<int64_t> left(wanted.begin(), wanted.end());
  int64_t frames = 0;
  while (const std::optional<VideoFrame> frame = reader.Next()) {
    ++frames;
    if (left.erase(frame->index()) == 0) continue;
    EXPECT_NEAR(frame->time(), frame->index() / 25.0, 1e-6);
    EXPECT_EQ(frame->ToImage().pixels, FrameOf(path, frame->index()).pixels);
  }
  EXPECT_TRUE(left.empty());
  EXPECT_LT(frames, 60);
}

TEST(Video, WhatIsNoVideoIsRefused) {
  const TemporaryFolder folder;
  const auto problem = [&](const std::string& name,
                           const std::optional<std::string>& bytes) {
    const std::filesystem::path path = folder.path() / name;
    if (bytes) std::ofstream(path, std::ios::binary) << *bytes;
    try {
      VideoReader reader(path);
    } catch (const UserError& error) {
      return error.problem();
    }
    return std::string("accepted");
  };
  EXPECT_THAT(problem("none.mp4", std::nullopt), HasSubstr("no file"));
  EXPECT_THAT(problem("empty.mp4", ""), HasSubstr("is empty"));
  EXPECT_THAT(problem("text.mp4", "hello, I am text\n"), HasSubstr("not a"));
  WriteMoving(folder.path() / "a.mp4", 30);
  const std::string good = ReadFile(folder.path() / "a.mp4");
  EXPECT_THAT(problem("cut.mp4", good.substr(0, 600)), HasSubstr("cut off"));
}

TEST(Video, CutOffVideoGivesWhatIsThere) {
  const TemporaryFolder folder;
  WriteMoving(folder.path() / "a.mp4", 60);
  const std::string good = ReadFile(folder.path() / "a.mp4");
  const std::filesystem::path cut = folder.path() / "cut.mp4";
  std::ofstream(cut, std::ios::binary) << good.substr(0, good.size() * 2 / 3);
  VideoReader reader(cut);
  EXPECT_GT(reader.info().frames, 20);
  EXPECT_EQ(reader.info().frames + reader.info().missing_frames, 60);
  EXPECT_GT(ReadAll(cut).frames, 20);
}

TEST(ToneMap, KeepsDarkLightAndCompressesTheRest) {
  // PQ codes of 101.5 cd/m2 (half of reference white) and 1000 cd/m2.
  const uint16_t half = static_cast<uint16_t>(0.5099 * 65535);
  const uint16_t peak = static_cast<uint16_t>(0.7518 * 65535);
  const uint16_t pq[6] = {half, half, half, peak, peak, peak};
  uint8_t srgb[6];
  ToneMap(HdrTransfer::kPq, pq, 2, srgb);
  EXPECT_NEAR(srgb[0], 188, 2);  // sRGB of linear 0.5
  EXPECT_NEAR(srgb[1], 188, 2);
  EXPECT_NEAR(srgb[3], 255, 1);
}

// Frames that decode, and the upright size, for each real file; others must be
// refused.
TEST(Video, RealFilesOfEveryKind) {
  NERFPIPE_NEEDS_REAL_DATA();
  struct Truth {
    int64_t frames;
    int width;
    int height;
  };
  const std::map<std::string, Truth> good = {
      {"video/av1_10bit_hdr10_portrait.mp4", {127, 720, 1280}},
      {"video/fragmented.mp4", {30, 1080, 720}},
      {"video/h264_10bits.mp4", {30, 200, 200}},
      {"video/h264_720p_rot270.mp4", {149, 720, 1280}},
      {"video/h264_pixel7_rot180_vfr.mp4", {36, 1920, 1080}},
      {"video/h264_rotate_and_reflect.mp4", {30, 720, 1080}},
      {"video/hevc10_dolbyvision.MOV", {4, 720, 1280}},
      {"video/hevc10_hdr10_pq.mp4", {28, 1920, 1080}},
      {"video/hevc10_hlg_rot90_editlist.mp4", {77, 1080, 1920}},
      {"video/hevc_motionphoto_rot90_vfr.mp4", {53, 1080, 1440}},
      {"video/mpeg4_buggy_stream.avi", {270, 720, 528}},
      {"video/sample.avi", {96, 960, 400}},
      {"video/vp9_odd_dimensions.webm", {30, 161, 121}},
      {"video_from_beer/beer_interlaced_tff.mp4", {120, 720, 1280}},
      {"video_from_beer/beer_truncated_moov_first.mp4", {403, 720, 1280}}};
  for (const auto& [name, truth] : good) {
    const std::filesystem::path path = RealData() / "bad" / name;
    const VideoInfo info = VideoReader(path).info();
    EXPECT_EQ(info.width, truth.width) << name;
    EXPECT_EQ(info.height, truth.height) << name;
    const Seen seen = ReadAll(path);
    EXPECT_EQ(seen.frames, truth.frames) << name;
    EXPECT_TRUE(seen.ascending) << name;
    const Image image = FrameOf(path, 1);
    EXPECT_EQ(image.width, truth.width) << name;
    EXPECT_EQ(image.height, truth.height) << name;
  }
  const Seen broken =
      ReadAll(RealData() / "bad/video/vp9_invalid_bitstream.webm");
  EXPECT_EQ(broken.frames, 0);
  EXPECT_GT(broken.damaged, 0);
  const std::map<std::string, std::string> refused = {
      {"video/audio_only.mp4", "no video"},
      {"video/malformed_box.mp4", "damaged"},
      {"video/vvc_unsupported_codec.mp4", "vvc"},
      {"video_from_beer/beer_truncated_no_moov.mp4", "cut off"}};
  for (const auto& [name, words] : refused) {
    try {
      VideoReader reader(RealData() / "bad" / name);
      ADD_FAILURE() << name << " was accepted";
    } catch (const UserError& error) {
      EXPECT_THAT(error.problem(), HasSubstr(words));
    }
  }
}

TEST(Video, RealVariantsOfOneClipShowTheSame) {
  NERFPIPE_NEEDS_REAL_DATA();
  const Image truth = FrameOf(RealData() / "captures/beer.mp4", 60);
  for (const char* name :
       {"beer_rot_meta.mp4", "beer_hevc10.mp4", "beer_mjpeg.avi"}) {
    const std::filesystem::path path =
        RealData() / "bad/video_from_beer" / name;
    EXPECT_GT(Psnr(FrameOf(path, 60), truth), 30) << name;
  }
  // Each of its frames was woven from two of the clip's.
  EXPECT_GT(Psnr(FrameOf(RealData() / "bad/video_from_beer/"
                                      "beer_interlaced_tff.mp4",
                         30),
                 truth),
            26);
}

}  // namespace
}  // namespace nerfpipe
