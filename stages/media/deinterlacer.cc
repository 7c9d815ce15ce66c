#include "stages/media/deinterlacer.h"

#include "pipeline/base/error.h"

#include <cstdio>
#include <new>

extern "C" {
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/frame.h>
}

namespace nerfpipe {
namespace {

void Require(int code) {
  av::ThrowIfRefused(code);
  NERFPIPE_CHECK(code >= 0);
}

}  // namespace

struct Deinterlacer::State {
  av::Owned<AVFilterGraph> graph;
  AVFilterContext* source = nullptr;
  AVFilterContext* sink = nullptr;
  int width = 0;
  int height = 0;
  int format = 0;
};

Deinterlacer::Deinterlacer(const AVFrame& first)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.width = first.width;
  state.height = first.height;
  state.format = first.format;
  state.graph.reset(avfilter_graph_alloc());
  if (!state.graph) throw std::bad_alloc();
  char arguments[128];
  // Time stamps are carried along by the caller.
  std::snprintf(arguments,
                sizeof(arguments),
                "video_size=%dx%d:pix_fmt=%d:time_base=1/1000",
                first.width,
                first.height,
                first.format);
  AVFilterContext* bwdif = nullptr;
  AVFilterGraph* graph = state.graph.get();
  const auto add = [graph](AVFilterContext** made,
                           const char* filter,
                           const char* options) {
    Require(avfilter_graph_create_filter(
        made, avfilter_get_by_name(filter), nullptr, options, nullptr, graph));
  };
  add(&state.source, "buffer", arguments);
  add(&bwdif, "bwdif", "mode=send_frame:parity=auto:deint=interlaced");
  add(&state.sink, "buffersink", nullptr);
  Require(avfilter_link(state.source, 0, bwdif, 0));
  Require(avfilter_link(bwdif, 0, state.sink, 0));
  Require(avfilter_graph_config(graph, nullptr));
}

Deinterlacer::~Deinterlacer() = default;

bool Deinterlacer::Takes(const AVFrame& picture) const {
  return picture.width == state_->width && picture.height == state_->height &&
         picture.format == state_->format;
}

void Deinterlacer::Put(AVFrame* picture) {
  Require(av_buffersrc_add_frame(state_->source, picture));
}

bool Deinterlacer::Get(AVFrame* picture) {
  const int code = av_buffersink_get_frame(state_->sink, picture);
  if (code == AVERROR(ENOMEM)) throw std::bad_alloc();
  return code >= 0;
}

}  // namespace nerfpipe
