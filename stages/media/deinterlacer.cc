#include "stages/media/deinterlacer.h"

#include "pipeline/base/error.h"

#include <cstdio>

extern "C" {
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/frame.h>
}

namespace nerfpipe {

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
  NERFPIPE_CHECK(state.graph != nullptr);
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
    NERFPIPE_CHECK(avfilter_graph_create_filter(made,
                                                avfilter_get_by_name(filter),
                                                nullptr,
                                                options,
                                                nullptr,
                                                graph) >= 0);
  };
  add(&state.source, "buffer", arguments);
  add(&bwdif, "bwdif", "mode=send_frame:parity=auto:deint=interlaced");
  add(&state.sink, "buffersink", nullptr);
  NERFPIPE_CHECK(avfilter_link(state.source, 0, bwdif, 0) >= 0);
  NERFPIPE_CHECK(avfilter_link(bwdif, 0, state.sink, 0) >= 0);
  NERFPIPE_CHECK(avfilter_graph_config(graph, nullptr) >= 0);
}

Deinterlacer::~Deinterlacer() = default;

bool Deinterlacer::Takes(const AVFrame& picture) const {
  return picture.width == state_->width && picture.height == state_->height &&
         picture.format == state_->format;
}

void Deinterlacer::Put(AVFrame* picture) {
  NERFPIPE_CHECK(av_buffersrc_add_frame(state_->source, picture) >= 0);
}

bool Deinterlacer::Get(AVFrame* picture) {
  return av_buffersink_get_frame(state_->sink, picture) >= 0;
}

}  // namespace nerfpipe
