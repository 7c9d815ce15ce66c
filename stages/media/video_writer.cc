#include "stages/media/video_writer.h"

#include "pipeline/base/error.h"
#include "pipeline/base/system_call.h"
#include "stages/media/av.h"

#include <algorithm>
#include <cstdint>
#include <new>
#include <string>
#include <system_error>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
}

namespace nerfpipe {
namespace {

// A fixed number, since x264's output depends on it: the same frames give
// the same file on every machine.
constexpr int kEncoderThreads = 4;

struct FreeOutput {
  void operator()(AVFormatContext* output) const {
    if (output->pb) avio_closep(&output->pb);
    avformat_free_context(output);
  }
};

[[noreturn]] void RefuseFile(const std::filesystem::path& path, int code) {
  if (code == AVERROR(ENOMEM)) throw std::bad_alloc();
  // FFmpeg's own codes are far below.
  if (-code < 4096 && code != AVERROR(EINVAL)) ThrowWriteError(path, -code);
  throw UserError("cannot write the video '" + path.string() + "' (" +
                      av::ErrorText(code) + ")",
                  "free some space, or choose a folder you may write to");
}

int Even(int size) { return size + size % 2; }

}  // namespace

struct VideoWriter::State {
  std::filesystem::path path;
  int width = 0;
  int height = 0;
  int64_t frames = 0;
  bool finished = false;
  std::unique_ptr<AVFormatContext, FreeOutput> output;
  av::Owned<AVCodecContext> encoder;
  av::Owned<SwsContext> to_yuv;
  av::Owned<AVFrame> rgb = av::MakeFrame();
  av::Owned<AVFrame> yuv = av::MakeFrame();
  av::Owned<AVPacket> packet = av::MakePacket();
  AVStream* stream = nullptr;

  void Check(int code) const {
    if (code < 0) RefuseFile(path, code);
  }
  void OpenEncoder(double frames_per_second, int crf, const char* preset);
  void OpenFile();
  void OpenConversion();
  // Sends `frame` (null: the end) and writes the packets that come out.
  void Encode(const AVFrame* frame);
};

void VideoWriter::State::OpenEncoder(double frames_per_second,
                                     int crf,
                                     const char* preset) {
  const AVCodec* codec = avcodec_find_encoder_by_name("libx264");
  if (!codec) {
    throw UserError("this FFmpeg has no H.264 encoder (libx264)",
                    "install Debian's libavcodec59 or libavcodec-extra");
  }
  encoder.reset(avcodec_alloc_context3(codec));
  if (!encoder) throw std::bad_alloc();
  encoder->width = Even(width);
  encoder->height = Even(height);
  encoder->pix_fmt = AV_PIX_FMT_YUV420P;
  encoder->framerate = av_d2q(frames_per_second, 100000);
  encoder->time_base = av_inv_q(encoder->framerate);
  encoder->color_range = AVCOL_RANGE_MPEG;
  encoder->colorspace = AVCOL_SPC_BT709;
  encoder->color_primaries = AVCOL_PRI_BT709;
  encoder->color_trc = AVCOL_TRC_BT709;
  encoder->chroma_sample_location = AVCHROMA_LOC_LEFT;
  encoder->thread_count = kEncoderThreads;
  // A key frame every second: players can jump about in a short orbit.
  encoder->gop_size = std::max(1, static_cast<int>(frames_per_second + 0.5));
  encoder->flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_GLOBAL_HEADER;
  av_opt_set_int(encoder->priv_data, "crf", crf, 0);
  av_opt_set(encoder->priv_data, "preset", preset, 0);
  av_opt_set(encoder->priv_data, "profile", "high", 0);
  Check(avcodec_open2(encoder.get(), codec, nullptr));
}

void VideoWriter::State::OpenFile() {
  AVFormatContext* made = nullptr;
  Check(avformat_alloc_output_context2(
      &made, nullptr, "mp4", path.string().c_str()));
  output.reset(made);
  output->flags |= AVFMT_FLAG_BITEXACT;
  stream = avformat_new_stream(output.get(), nullptr);
  if (stream == nullptr) throw std::bad_alloc();
  Check(avcodec_parameters_from_context(stream->codecpar, encoder.get()));
  stream->time_base = encoder->time_base;
  stream->avg_frame_rate = encoder->framerate;
  // The protocol is named, so that a colon in the path is only a colon.
  const std::string url = "file:" + path.string();
  int opened = 0;
  do {
    opened = avio_open(&output->pb, url.c_str(), AVIO_FLAG_WRITE);
  } while (opened == AVERROR(EINTR));
  Check(opened);
  AVDictionary* options = nullptr;
  av_dict_set(&options, "movflags", "+faststart", 0);
  const int code = avformat_write_header(output.get(), &options);
  av_dict_free(&options);
  Check(code);
}

void VideoWriter::State::OpenConversion() {
  const int even_width = Even(width);
  const int even_height = Even(height);
  to_yuv.reset(sws_getContext(
      even_width,
      even_height,
      AV_PIX_FMT_RGB24,
      even_width,
      even_height,
      AV_PIX_FMT_YUV420P,
      SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP | SWS_BITEXACT,
      nullptr,
      nullptr,
      nullptr));
  if (!to_yuv) throw std::bad_alloc();
  const int* bt709 = sws_getCoefficients(SWS_CS_ITU709);
  sws_setColorspaceDetails(
      to_yuv.get(), bt709, 1, bt709, 0, 0, 1 << 16, 1 << 16);
  rgb->format = AV_PIX_FMT_RGB24;
  rgb->width = even_width;
  rgb->height = even_height;
  Check(av_frame_get_buffer(rgb.get(), 0));
  yuv->format = AV_PIX_FMT_YUV420P;
  yuv->width = even_width;
  yuv->height = even_height;
  yuv->color_range = encoder->color_range;
  yuv->colorspace = encoder->colorspace;
  Check(av_frame_get_buffer(yuv.get(), 0));
}

void VideoWriter::State::Encode(const AVFrame* frame) {
  Check(avcodec_send_frame(encoder.get(), frame));
  for (;;) {
    const int code = avcodec_receive_packet(encoder.get(), packet.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
    Check(code);
    // Without it the last frame would have no duration.
    packet->duration = 1;
    av_packet_rescale_ts(packet.get(), encoder->time_base, stream->time_base);
    packet->stream_index = stream->index;
    Check(av_interleaved_write_frame(output.get(), packet.get()));
  }
}

VideoWriter::VideoWriter(const std::filesystem::path& path,
                         int width,
                         int height,
                         double frames_per_second,
                         int crf,
                         const char* preset)
    : state_(std::make_unique<State>()) {
  NERFPIPE_CHECK(width > 0 && height > 0);
  NERFPIPE_CHECK(frames_per_second > 0 && crf >= 0 && crf <= 51);
  av::Silence();
  state_->path = path;
  state_->width = width;
  state_->height = height;
  state_->OpenEncoder(frames_per_second, crf, preset);
  state_->OpenFile();
  state_->OpenConversion();
}

VideoWriter::~VideoWriter() {
  if (state_->finished) return;
  const std::filesystem::path path = state_->path;
  state_.reset();
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
}

void VideoWriter::Write(const Image& frame) {
  State& state = *state_;
  NERFPIPE_CHECK(!state.finished);
  NERFPIPE_CHECK(frame.channels == 3 && frame.width == state.width &&
                 frame.height == state.height);
  for (int y = 0; y < state.rgb->height; ++y) {
    const uint8_t* from = frame.At(0, std::min(y, frame.height - 1));
    uint8_t* to = state.rgb->data[0] + int64_t{y} * state.rgb->linesize[0];
    std::copy(from, from + size_t{3} * frame.width, to);
    if (state.rgb->width > frame.width) {
      const uint8_t* last =
          frame.At(frame.width - 1, std::min(y, frame.height - 1));
      std::copy(last, last + 3, to + size_t{3} * frame.width);
    }
  }
  // The encoder may still hold the frame before.
  state.Check(av_frame_make_writable(state.yuv.get()));
  sws_scale(state.to_yuv.get(),
            state.rgb->data,
            state.rgb->linesize,
            0,
            state.rgb->height,
            state.yuv->data,
            state.yuv->linesize);
  state.yuv->pts = state.frames++;
  state.Encode(state.yuv.get());
}

void VideoWriter::Finish() {
  State& state = *state_;
  NERFPIPE_CHECK(!state.finished && state.frames > 0);
  state.Encode(nullptr);
  state.Check(av_write_trailer(state.output.get()));
  const int code = avio_closep(&state.output->pb);
  state.Check(code);
  state.finished = true;
}

}  // namespace nerfpipe
