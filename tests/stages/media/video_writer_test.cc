// What a player finds in the files that VideoWriter makes, by FFmpeg's own
// reading.

#include "stages/media/video_writer.h"

#include "pipeline/base/error.h"
#include "tests/stages/media/test_pictures.h"
#include "tests/temporary_folder.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

namespace nerfpipe {
namespace {

using ::testing::HasSubstr;

struct Played {
  AVCodecParameters codec = {};
  AVRational rate = {};
  double duration = 0;  // seconds
  int streams = 0;
  int64_t packets = 0;
  std::set<int64_t> key_frames;  // by number
  double last = 0;               // seconds at which the last frame begins
};

Played Play(const std::filesystem::path& path) {
  Played played;
  AVFormatContext* format = nullptr;
  EXPECT_EQ(avformat_open_input(
                &format, ("file:" + path.string()).c_str(), nullptr, nullptr),
            0);
  EXPECT_GE(avformat_find_stream_info(format, nullptr), 0);
  const AVStream& stream = *format->streams[0];
  played.codec = *stream.codecpar;
  played.codec.extradata = nullptr;  // gone with the file
  played.rate = stream.avg_frame_rate;
  played.duration = static_cast<double>(format->duration) / AV_TIME_BASE;
  played.streams = static_cast<int>(format->nb_streams);
  AVPacket* packet = av_packet_alloc();
  while (av_read_frame(format, packet) >= 0) {
    const double time =
        static_cast<double>(packet->pts) * av_q2d(stream.time_base);
    if (packet->flags & AV_PKT_FLAG_KEY) {
      played.key_frames.insert(
          static_cast<int64_t>(time * av_q2d(played.rate) + 0.5));
    }
    played.last = std::max(played.last, time);
    ++played.packets;
    av_packet_unref(packet);
  }
  av_packet_free(&packet);
  avformat_close_input(&format);
  return played;
}

void Film(const std::filesystem::path& path,
          int frames,
          double rate,
          int crf = 18) {
  VideoWriter writer(path, 122, 75, rate, crf);
  for (int i = 0; i < frames; ++i) {
    writer.Write(TestPicture(122, 75, 3 * i, i));
  }
  writer.Finish();
}

TEST(VideoWriter, AnyBrowserPlaysItInTheRightColours) {
  const TemporaryFolder folder;
  Film(folder / "a.mp4", 3, 24);
  const Played played = Play(folder / "a.mp4");
  EXPECT_EQ(played.streams, 1);
  EXPECT_EQ(played.codec.codec_id, AV_CODEC_ID_H264);
  EXPECT_EQ(played.codec.format, AV_PIX_FMT_YUV420P);
  EXPECT_EQ(played.codec.profile, FF_PROFILE_H264_HIGH);
  EXPECT_EQ(played.codec.width, 122);
  EXPECT_EQ(played.codec.height, 76);
  EXPECT_EQ(played.codec.color_range, AVCOL_RANGE_MPEG);
  EXPECT_EQ(played.codec.color_space, AVCOL_SPC_BT709);
  EXPECT_EQ(played.codec.color_primaries, AVCOL_PRI_BT709);
  EXPECT_EQ(played.codec.color_trc, AVCOL_TRC_BT709);
  EXPECT_EQ(played.codec.chroma_location, AVCHROMA_LOC_LEFT);
}

TEST(VideoWriter, RateAndDurationAreThoseAskedFor) {
  const TemporaryFolder folder;
  for (const auto& [frames, rate] : {std::pair(37, 24.0),
                                     std::pair(61, 29.97),
                                     std::pair(5, 12.5),
                                     std::pair(1, 30.0)}) {
    SCOPED_TRACE(rate);
    Film(folder / "a.mp4", frames, rate, 30);
    const Played played = Play(folder / "a.mp4");
    EXPECT_EQ(played.packets, frames);
    EXPECT_NEAR(av_q2d(played.rate), rate, 1e-3);
    EXPECT_NEAR(played.duration, frames / rate, 2e-3);
    EXPECT_NEAR(played.last, (frames - 1) / rate, 1e-4);
  }
}

TEST(VideoWriter, AKeyFrameASecondLetsPlayersJump) {
  const TemporaryFolder folder;
  Film(folder / "a.mp4", 40, 12.5, 30);
  EXPECT_EQ(Play(folder / "a.mp4").key_frames,
            (std::set<int64_t>{0, 13, 26, 39}));
}

TEST(VideoWriter, LowerCrfCostsBytesAndGivesQuality) {
  const TemporaryFolder folder;
  uintmax_t before = UINTMAX_MAX;
  for (const int crf : {8, 18, 28, 45}) {
    Film(folder / "a.mp4", 10, 25, crf);
    const uintmax_t size = std::filesystem::file_size(folder / "a.mp4");
    EXPECT_LT(static_cast<double>(size), 0.8 * static_cast<double>(before))
        << crf;
    before = size;
  }
}

TEST(VideoWriter, WhatCannotBeWrittenIsNamed) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "none/a.mp4";
  try {
    VideoWriter writer(path, 32, 32, 10);
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.problem(), HasSubstr(path.string()));
    EXPECT_THAT(error.problem(), HasSubstr("No such file"));
    EXPECT_THAT(error.remedy(), HasSubstr("choose a folder you may write to"));
  }
}

}  // namespace
}  // namespace nerfpipe
