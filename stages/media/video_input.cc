#include "stages/media/video_input.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "stages/media/orientation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
}

namespace nerfpipe {
namespace {

std::string Quoted(const std::filesystem::path& path) {
  return "'" + path.string() + "'";
}

void RequireFile(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    throw UserError("there is no file " + Quoted(path),
                    "check the name of the video");
  }
  if (std::filesystem::is_directory(path, error)) {
    throw UserError(Quoted(path) + " is a folder, not a video",
                    "give the video file inside it");
  }
  if (std::filesystem::file_size(path, error) == 0 && !error) {
    throw UserError(Quoted(path) + " is empty",
                    "copy it from the camera again");
  }
}

// MP4 and MOV files begin with one of these boxes.
bool LooksLikeMp4(const std::filesystem::path& path) {
  std::string head = ReadBeginning(path, 8);
  head.resize(8);
  const std::string_view box = std::string_view(head).substr(4);
  return box == "ftyp" || box == "mdat" || box == "wide" || box == "free" ||
         box == "moov";
}

av::Owned<AVFormatContext> OpenFormat(const std::filesystem::path& path,
                                      const FileInput& file) {
  AVFormatContext* opened = avformat_alloc_context();
  if (opened == nullptr) throw std::bad_alloc();
  opened->pb = file.context();
  // The protocol is named, so that a colon in the path is only a colon.
  const std::string url = "file:" + path.string();
  const int code = avformat_open_input(&opened, url.c_str(), nullptr, nullptr);
  if (code == 0) return av::Owned<AVFormatContext>(opened);
  file.ThrowIfRefused();
  av::ThrowIfRefused(code);
  if (LooksLikeMp4(path)) {
    throw UserError(
        Quoted(path) +
            " is damaged or was cut off before its index (the "
            "'moov' part) was written",
        "copy it from the camera again; a recording that was broken off can "
        "sometimes be saved by a repair tool such as untrunc");
  }
  throw UserError(
      Quoted(path) + " is not a video (" + av::ErrorText(code) + ")",
      "give a video file or a folder of photos");
}

// FourCC as letters where it is, for codecs that FFmpeg has no name for.
std::string CodecName(const AVCodecParameters& codec) {
  if (codec.codec_id != AV_CODEC_ID_NONE) {
    return avcodec_get_name(codec.codec_id);
  }
  char tag[AV_FOURCC_MAX_STRING_SIZE] = {};
  av_fourcc_make_string(tag, codec.codec_tag);
  const std::string_view view = tag;
  if (view == "vvc1" || view == "vvi1") return "vvc (H.266)";
  return tag;
}

void ChooseStream(const std::filesystem::path& path, VideoInput* input) {
  const std::string_view format = input->format->iformat->name;
  const bool picture = format == "image2" || format.ends_with("_pipe");
  if (picture || format == "tty") {
    throw UserError(Quoted(path) + (picture ? " is a picture, not a video"
                                            : " is text, not a video"),
                    "give a video file or a folder of photos");
  }
  const int found = av_find_best_stream(
      input->format.get(), AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  if (found < 0 || input->format->streams[found]->disposition &
                       AV_DISPOSITION_ATTACHED_PIC) {
    throw UserError(Quoted(path) + " holds no video, only sound or other data",
                    "give a video file or a folder of photos");
  }
  input->stream = found;
  const AVCodecParameters& codec = *input->format->streams[found]->codecpar;
  input->info.codec = CodecName(codec);
  input->decoder = avcodec_find_decoder(codec.codec_id);
  if (!input->decoder) {
    throw UserError("no decoder for the codec " + input->info.codec + " of " +
                        Quoted(path) + " is installed",
                    "convert the video to H.264 on the device that made it");
  }
  for (unsigned int i = 0; i < input->format->nb_streams; ++i) {
    if (static_cast<int>(i) != found) {
      input->format->streams[i]->discard = AVDISCARD_ALL;
    }
  }
}

int OrientationOf(const AVStream& stream) {
  size_t size = 0;
  const uint8_t* data =
      av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  if (!data || size < 9 * sizeof(int32_t)) return 1;
  std::array<int32_t, 9> matrix;
  std::memcpy(matrix.data(), data, sizeof(matrix));
  return OrientationOfMatrix(matrix[0], matrix[1], matrix[3], matrix[4]);
}

double PixelAspect(AVFormatContext* format, AVStream* stream) {
  const AVRational ratio =
      av_guess_sample_aspect_ratio(format, stream, nullptr);
  if (ratio.num <= 0 || ratio.den <= 0) return 1;
  const double aspect = av_q2d(ratio);
  // Rounding in a header is no reason to resample, and nonsense is ignored.
  return std::abs(aspect - 1) < 0.01 || aspect > 4 || aspect < 0.25 ? 1
                                                                    : aspect;
}

struct Count {
  int64_t packets = 0;
  int64_t discarded = 0;        // outside of the file's edit list
  std::vector<int64_t> stamps;  // ascending; packets without one left out
};

// Container headers lie about files that were cut off or edited.
Count CountPackets(const std::filesystem::path& path, int stream) {
  const FileInput file(path);
  const av::Owned<AVFormatContext> format = OpenFormat(path, file);
  const av::Owned<AVPacket> packet = av::MakePacket();
  Count count;
  int code = 0;
  while ((code = av_read_frame(format.get(), packet.get())) >= 0) {
    ThrowIfInterrupted();
    const bool ours = packet->stream_index == stream && packet->size > 0 &&
                      !(packet->flags & AV_PKT_FLAG_CORRUPT);
    const bool discard = packet->flags & AV_PKT_FLAG_DISCARD;
    if (ours && discard) ++count.discarded;
    if (ours && !discard) {
      ++count.packets;
      if (packet->pts != AV_NOPTS_VALUE) count.stamps.push_back(packet->pts);
    }
    av_packet_unref(packet.get());
  }
  file.ThrowIfRefused();
  av::ThrowIfRefused(code);
  std::sort(count.stamps.begin(), count.stamps.end());
  return count;
}

void FillInfo(const Count& count, VideoInput* input) {
  AVStream* stream = input->format->streams[input->stream];
  const AVCodecParameters& codec = *stream->codecpar;
  VideoInfo& info = input->info;
  info.orientation = OrientationOf(*stream);
  input->pixel_aspect = PixelAspect(input->format.get(), stream);
  info.width = static_cast<int>(std::lround(codec.width * input->pixel_aspect));
  info.height = codec.height;
  if (OrientationSwapsSides(info.orientation)) {
    std::swap(info.width, info.height);
  }
  info.frames = count.packets;
  info.missing_frames =
      std::max(int64_t{0}, stream->nb_frames - count.packets - count.discarded);
  if (codec.color_trc == AVCOL_TRC_SMPTE2084) info.hdr = "PQ";
  if (codec.color_trc == AVCOL_TRC_ARIB_STD_B67) info.hdr = "HLG";
  const std::vector<int64_t>& stamps = count.stamps;
  const bool unique =
      std::adjacent_find(stamps.begin(), stamps.end()) == stamps.end();
  if (unique && static_cast<int64_t>(stamps.size()) == count.packets) {
    input->stamps = stamps;
  }
  const double span =
      stamps.empty() ? 0
                     : static_cast<double>(stamps.back() - stamps.front()) *
                           av_q2d(stream->time_base);
  if (span > 0 && count.packets > 1) {
    info.frames_per_second = static_cast<double>(count.packets - 1) / span;
    info.duration = span + 1 / info.frames_per_second;
  } else {
    info.frames_per_second =
        av_q2d(av_guess_frame_rate(input->format.get(), stream, nullptr));
    if (!(info.frames_per_second > 0)) info.frames_per_second = 30;
    info.duration = static_cast<double>(count.packets) / info.frames_per_second;
  }
}

VideoInput OpenUncounted(const std::filesystem::path& path) {
  av::Silence();
  RequireFile(path);
  VideoInput input;
  input.file = std::make_unique<FileInput>(path);
  input.format = OpenFormat(path, *input.file);
  // What cannot be found out here shows when decoding.
  const int code = avformat_find_stream_info(input.format.get(), nullptr);
  input.file->ThrowIfRefused();
  av::ThrowIfRefused(code);
  ChooseStream(path, &input);
  return input;
}

}  // namespace

VideoInput OpenVideoInput(const std::filesystem::path& path) {
  VideoInput input = OpenUncounted(path);
  const Count count = CountPackets(path, input.stream);
  if (count.packets == 0) {
    throw UserError(Quoted(path) + " holds no pictures",
                    "copy it from the camera again");
  }
  FillInfo(count, &input);
  return input;
}

VideoInput ReopenVideoInput(const std::filesystem::path& path,
                            const VideoInput& counted) {
  VideoInput input = OpenUncounted(path);
  input.info = counted.info;
  input.pixel_aspect = counted.pixel_aspect;
  input.stamps = counted.stamps;
  return input;
}

}  // namespace nerfpipe
