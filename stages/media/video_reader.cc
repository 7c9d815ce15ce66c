#include "stages/media/video_reader.h"

#include "pipeline/base/error.h"
#include "stages/media/av.h"
#include "stages/media/deinterlacer.h"
#include "stages/media/video_input.h"

#include <algorithm>
#include <atomic>
#include <new>
#include <utility>
#include <vector>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

namespace nerfpipe {

struct VideoReader::State {
  std::filesystem::path path;
  VideoInput input;
  av::Owned<AVCodecContext> decoder;
  std::unique_ptr<Deinterlacer> deinterlacer;
  av::Owned<AVPacket> packet = av::MakePacket();
  std::atomic<bool> memory_missed = false;
  bool packets_end = false;
  bool end = false;
  int64_t next_number = 0;
  int64_t damaged = 0;
  std::optional<double> first_time;  // seconds, by the stream's clock
  std::optional<double> last_time;   // seconds from the first
  bool selective = false;
  std::vector<int64_t> wanted_stamps;  // ascending

  void OpenDecoder(int threads);
  // Some decoders go on without a picture that they got no memory for.
  void NoteMissingMemory();
  void SendPacket();
  // Lets the decoder pass over a picture that nobody wants and no other
  // picture is predicted from.
  void AllowSkipping(int64_t stamp);
  int64_t NumberOf(const AVFrame& picture);
  // The next picture from the decoder, its number in `opaque`; false at the
  // end.
  bool Decode(AVFrame* picture);
  bool DecodeProgressive(AVFrame* picture);
  double TimeOf(const AVFrame& picture, int64_t index);
};

void VideoReader::State::OpenDecoder(int threads) {
  decoder.reset(avcodec_alloc_context3(input.decoder));
  if (!decoder) throw std::bad_alloc();
  NoteMissingMemory();
  const AVStream& stream = *input.format->streams[input.stream];
  avcodec_parameters_to_context(decoder.get(), stream.codecpar);
  decoder->pkt_timebase = stream.time_base;
  // One more than the cores, since frame threads wait for each other.
  decoder->thread_count = threads > 1 ? threads + 1 : 1;
  decoder->thread_type = FF_THREAD_FRAME | FF_THREAD_SLICE;
  const int code = avcodec_open2(decoder.get(), input.decoder, nullptr);
  av::ThrowIfRefused(code);
  if (code < 0) {
    throw UserError("the decoder for " + input.info.codec + " refuses '" +
                        path.string() + "' (" + av::ErrorText(code) + ")",
                    "convert the video to H.264 first");
  }
}

void VideoReader::State::NoteMissingMemory() {
  decoder->opaque = this;
  decoder->get_buffer2 =
      [](AVCodecContext* context, AVFrame* frame, int flags) {
        const int code = avcodec_default_get_buffer2(context, frame, flags);
        if (code == AVERROR(ENOMEM)) {
          static_cast<State*>(context->opaque)->memory_missed = true;
        }
        return code;
      };
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  // Later versions take it for granted.
  decoder->thread_safe_callbacks = 1;
#pragma GCC diagnostic pop
}

void VideoReader::State::SendPacket() {
  for (;;) {
    const int code = av_read_frame(input.format.get(), packet.get());
    if (code < 0) {
      input.file->ThrowIfRefused();
      av::ThrowIfRefused(code);
      packets_end = true;
      avcodec_send_packet(decoder.get(), nullptr);
      return;
    }
    if (packet->stream_index != input.stream) {
      av_packet_unref(packet.get());
      continue;
    }
    AllowSkipping(packet->pts);
    const int sent = avcodec_send_packet(decoder.get(), packet.get());
    av_packet_unref(packet.get());
    NERFPIPE_CHECK(sent != AVERROR(EAGAIN));
    av::ThrowIfRefused(sent);
    if (sent < 0) ++damaged;
    return;
  }
}

void VideoReader::State::AllowSkipping(int64_t stamp) {
  // De-interlacing looks at the pictures before and after.
  const bool wanted =
      !selective || deinterlacer ||
      std::binary_search(wanted_stamps.begin(), wanted_stamps.end(), stamp);
  decoder->skip_frame = wanted ? AVDISCARD_DEFAULT : AVDISCARD_NONREF;
}

int64_t VideoReader::State::NumberOf(const AVFrame& picture) {
  const std::vector<int64_t>& stamps = input.stamps;
  const auto found = std::lower_bound(
      stamps.begin(), stamps.end(), picture.best_effort_timestamp);
  if (found == stamps.end() || *found != picture.best_effort_timestamp) {
    return next_number++;
  }
  next_number = found - stamps.begin() + 1;
  return found - stamps.begin();
}

bool VideoReader::State::Decode(AVFrame* picture) {
  while (!end) {
    const int code = avcodec_receive_frame(decoder.get(), picture);
    if (memory_missed) throw std::bad_alloc();
    if (code == AVERROR(EAGAIN)) {
      SendPacket();
    } else if (code == AVERROR_EOF) {
      end = true;
    } else if (code < 0) {
      av::ThrowIfRefused(code);
      ++damaged;
      // A decoder that only fails would otherwise never end.
      if (packets_end && damaged > input.info.frames + 1000) end = true;
    } else if (picture->decode_error_flags != 0 ||
               picture->flags & AV_FRAME_FLAG_CORRUPT) {
      NumberOf(*picture);
      ++damaged;
    } else {
      picture->opaque = reinterpret_cast<void*>(NumberOf(*picture));
      // The de-interlacer keeps this field and changes the others.
      picture->reordered_opaque = picture->best_effort_timestamp;
      return true;
    }
  }
  return false;
}

bool VideoReader::State::DecodeProgressive(AVFrame* picture) {
  for (;;) {
    if (deinterlacer && deinterlacer->Get(picture)) return true;
    const av::Owned<AVFrame> next = av::MakeFrame();
    if (end || !Decode(next.get())) {
      if (!deinterlacer) return false;
      deinterlacer->Put(nullptr);
      const bool last = deinterlacer->Get(picture);
      deinterlacer.reset();
      return last;
    }
    if (deinterlacer && !deinterlacer->Takes(*next)) deinterlacer.reset();
    if (!deinterlacer && next->interlaced_frame) {
      deinterlacer = std::make_unique<Deinterlacer>(*next);
    }
    if (!deinterlacer) {
      av_frame_move_ref(picture, next.get());
      return true;
    }
    deinterlacer->Put(next.get());
  }
}

double VideoReader::State::TimeOf(const AVFrame& picture, int64_t index) {
  const double frame_time = 1 / input.info.frames_per_second;
  const int64_t stamp = picture.reordered_opaque;
  double time = static_cast<double>(index) * frame_time;
  if (stamp != AV_NOPTS_VALUE) {
    const AVStream& stream = *input.format->streams[input.stream];
    const double tick = av_q2d(stream.time_base);
    time = static_cast<double>(stamp) * tick;
    if (!first_time) {
      // The first frame may be damaged, and never come.
      first_time = input.stamps.empty()
                       ? time
                       : static_cast<double>(input.stamps.front()) * tick;
    }
    time -= *first_time;
  }
  // Files without a full set of stamps make the decoder guess; its guesses may
  // go back.
  if (last_time && time <= *last_time) time = *last_time + frame_time;
  last_time = time;
  return time;
}

VideoReader::VideoReader(const std::filesystem::path& path, int threads)
    : state_(std::make_unique<State>()) {
  state_->path = path;
  state_->input = OpenVideoInput(path);
  state_->OpenDecoder(threads);
}

VideoReader::VideoReader(const VideoReader& counted, int threads)
    : state_(std::make_unique<State>()) {
  state_->path = counted.state_->path;
  state_->input = ReopenVideoInput(state_->path, counted.state_->input);
  state_->OpenDecoder(threads);
}

VideoReader::~VideoReader() = default;

const VideoInfo& VideoReader::info() const { return state_->input.info; }

int64_t VideoReader::damaged() const { return state_->damaged; }

void VideoReader::DecodeOnly(const std::vector<int64_t>& indices) {
  State& state = *state_;
  const std::vector<int64_t>& stamps = state.input.stamps;
  if (stamps.empty()) return;
  state.selective = true;
  for (const int64_t index : indices) {
    NERFPIPE_CHECK(index >= 0 && index < state.input.info.frames);
    state.wanted_stamps.push_back(stamps[static_cast<size_t>(index)]);
  }
}

std::optional<VideoFrame> VideoReader::Next() {
  State& state = *state_;
  av::Owned<AVFrame> picture = av::MakeFrame();
  if (!state.DecodeProgressive(picture.get())) return std::nullopt;
  VideoFrame frame;
  frame.index_ = reinterpret_cast<int64_t>(picture->opaque);
  frame.time_ = state.TimeOf(*picture, frame.index_);
  frame.orientation_ = state.input.info.orientation;
  frame.pixel_aspect_ = state.input.pixel_aspect;
  frame.picture_ = std::shared_ptr<const AVFrame>(
      picture.release(),
      [](const AVFrame* held) { av::Free()(const_cast<AVFrame*>(held)); });
  return frame;
}

}  // namespace nerfpipe
