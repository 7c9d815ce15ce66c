#include "stages/media/av.h"

#include "pipeline/base/system_call.h"

#include <new>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>
}

namespace nerfpipe::av {

void Free::operator()(AVCodecContext* context) const {
  avcodec_free_context(&context);
}
void Free::operator()(AVFilterGraph* graph) const {
  avfilter_graph_free(&graph);
}
void Free::operator()(AVFormatContext* input) const {
  avformat_close_input(&input);
}
void Free::operator()(AVFrame* frame) const { av_frame_free(&frame); }
void Free::operator()(AVPacket* packet) const { av_packet_free(&packet); }
void Free::operator()(SwsContext* context) const { sws_freeContext(context); }

Owned<AVFrame> MakeFrame() {
  Owned<AVFrame> frame(av_frame_alloc());
  if (!frame) throw std::bad_alloc();
  return frame;
}

Owned<AVPacket> MakePacket() {
  Owned<AVPacket> packet(av_packet_alloc());
  if (!packet) throw std::bad_alloc();
  return packet;
}

void ThrowIfRefused(int code) {
  if (code == AVERROR(ENOMEM)) throw std::bad_alloc();
  if (code == AVERROR(EAGAIN)) {
    ThrowSystemError("the system refuses a thread", EAGAIN);
  }
}

std::string ErrorText(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof(text));
  return text;
}

void Silence() { av_log_set_level(AV_LOG_QUIET); }

}  // namespace nerfpipe::av
