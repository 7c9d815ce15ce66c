#include "tests/scenes/clips.h"

#include "tests/scenes/orientations.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
}

namespace nerfpipe {
namespace {

int Check(int code) {
  if (code >= 0) return code;
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof(text));
  throw std::runtime_error(std::string("FFmpeg: ") + text);
}

bool IsHdr(ClipColours colours) {
  return colours == ClipColours::kPq || colours == ClipColours::kHlg;
}

// What the stream says of itself.
void Tag(ClipColours colours, AVCodecContext* encoder) {
  encoder->color_range = AVCOL_RANGE_MPEG;
  switch (colours) {
    case ClipColours::kUntagged601:
    case ClipColours::kUntagged709:
      encoder->color_range = AVCOL_RANGE_UNSPECIFIED;
      break;
    case ClipColours::k601:
      encoder->colorspace = AVCOL_SPC_SMPTE170M;
      break;
    case ClipColours::k709Full:
      encoder->color_range = AVCOL_RANGE_JPEG;
      encoder->colorspace = AVCOL_SPC_BT709;
      break;
    case ClipColours::k709:
      encoder->colorspace = AVCOL_SPC_BT709;
      break;
    case ClipColours::kPq:
    case ClipColours::kHlg:
      encoder->color_primaries = AVCOL_PRI_BT2020;
      encoder->color_trc = colours == ClipColours::kPq ? AVCOL_TRC_SMPTE2084
                                                       : AVCOL_TRC_ARIB_STD_B67;
      [[fallthrough]];
    case ClipColours::k2020:
      encoder->colorspace = AVCOL_SPC_BT2020_NCL;
  }
}

AVPixelFormat FormatOf(const ClipSpec& spec) {
  if (IsHdr(spec.colours)) return AV_PIX_FMT_YUV420P10;
  if (spec.encoder == "mjpeg") return AV_PIX_FMT_YUVJ420P;
  return spec.full_chroma ? AV_PIX_FMT_YUV444P : AV_PIX_FMT_YUV420P;
}

// Sets the rows `first`, first + step, ... of all planes.
void Fill(const ClipSpec& spec,
          const Image& picture,
          int first,
          int step,
          AVFrame* frame) {
  const int bytes = IsHdr(spec.colours) ? 2 : 1;
  for (int plane = 0; plane < 3; ++plane) {
    const int cell = plane == 0 || spec.full_chroma ? 1 : 2;
    const int width = (spec.width + cell - 1) / cell;
    const int height = (spec.height + cell - 1) / cell;
    for (int y = first; y < height; y += step) {
      for (int x = 0; x < width; ++x) {
        double sum = 0;
        for (int k = 0; k < cell * cell; ++k) {
          const ClipYuv yuv =
              YuvOf(spec.colours,
                    picture.At(std::min(cell * x + k % cell, spec.width - 1),
                               std::min(cell * y + k / cell, spec.height - 1)));
          sum += plane == 0 ? yuv.y : plane == 1 ? yuv.cb : yuv.cr;
        }
        const auto value = static_cast<uint16_t>(sum / (cell * cell) + 0.5);
        uint8_t* to =
            frame->data[plane] + y * frame->linesize[plane] + x * bytes;
        std::memcpy(to, &value, static_cast<size_t>(bytes));  // little-endian
      }
    }
  }
}

class Writer {
 public:
  Writer(const ClipSpec& spec, const std::filesystem::path& path)
      : spec_(spec), packet_(av_packet_alloc()), frame_(av_frame_alloc()) {
    av_log_set_level(AV_LOG_QUIET);
    Check(avformat_alloc_output_context2(
        &output_, nullptr, nullptr, path.c_str()));
    OpenEncoder(path.extension() == ".mkv" ? "ffv1" : "libx264");
    stream_ = avformat_new_stream(output_, nullptr);
    Check(avcodec_parameters_from_context(stream_->codecpar, encoder_));
    stream_->time_base = encoder_->time_base;
    stream_->sample_aspect_ratio = encoder_->sample_aspect_ratio;
    if (spec.orientation != 1) SetDisplayMatrix();
    Check(avio_open(
        &output_->pb, ("file:" + path.string()).c_str(), AVIO_FLAG_WRITE));
    Check(avformat_write_header(output_, nullptr));
  }
  ~Writer() {
    avcodec_free_context(&encoder_);
    av_packet_free(&packet_);
    av_frame_free(&frame_);
    avio_closep(&output_->pb);
    avformat_free_context(output_);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void Write(const ClipPicture& picture) {
    for (size_t i = 0; i < spec_.stamps.size(); ++i) {
      frame_->format = encoder_->pix_fmt;
      frame_->width = spec_.width;
      frame_->height = spec_.height;
      Check(av_frame_get_buffer(frame_, 0));
      const int number = static_cast<int>(i);
      if (spec_.interlaced) {
        Fill(spec_, picture(2 * number), 0, 2, frame_);
        Fill(spec_, picture(2 * number + 1), 1, 2, frame_);
      } else {
        Fill(spec_, picture(number), 0, 1, frame_);
      }
      frame_->pts = spec_.stamps[i];
      frame_->color_range = encoder_->color_range;
      frame_->colorspace = encoder_->colorspace;
      frame_->interlaced_frame = spec_.interlaced && spec_.flagged;
      frame_->top_field_first = frame_->interlaced_frame;
      Encode(frame_);
      av_frame_unref(frame_);
    }
    Encode(nullptr);
    Check(av_write_trailer(output_));
  }

 private:
  void OpenEncoder(const char* usual) {
    const AVCodec* codec = avcodec_find_encoder_by_name(
        spec_.encoder.empty() ? usual : spec_.encoder.c_str());
    if (codec == nullptr) throw std::runtime_error("no such encoder");
    encoder_ = avcodec_alloc_context3(codec);
    encoder_->width = spec_.width;
    encoder_->height = spec_.height;
    encoder_->pix_fmt = FormatOf(spec_);
    encoder_->time_base = {1, spec_.ticks};
    encoder_->sample_aspect_ratio = {spec_.pixel_width, spec_.pixel_height};
    encoder_->max_b_frames = spec_.b_frames;
    encoder_->gop_size = codec->id == AV_CODEC_ID_H264 ? 50 : 1;
    encoder_->thread_count = 1;
    encoder_->strict_std_compliance = FF_COMPLIANCE_UNOFFICIAL;
    if (codec->id == AV_CODEC_ID_FFV1) encoder_->level = 3;
    encoder_->flags |= AV_CODEC_FLAG_QSCALE;  // of mjpeg
    encoder_->global_quality = 2 * FF_QP2LAMBDA;
    if (output_->oformat->flags & AVFMT_GLOBALHEADER) {
      encoder_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    }
    Tag(spec_.colours, encoder_);
    av_opt_set(encoder_->priv_data, "preset", "ultrafast", 0);
    av_opt_set(encoder_->priv_data, "crf", "6", 0);
    if (spec_.b_frames > 0) {
      av_opt_set(encoder_->priv_data, "x264-params", "b-adapt=0", 0);
    }
    Check(avcodec_open2(encoder_, codec, nullptr));
  }

  void SetDisplayMatrix() {
    const OrientationAxes& axes = kOrientationAxes[spec_.orientation];
    std::array<int32_t, 9> matrix = {
        axes.a, axes.b, 0, axes.c, axes.d, 0, 0, 0, 1 << 14};
    for (int32_t& value : matrix) value *= 1 << 16;
    uint8_t* data = av_stream_new_side_data(
        stream_, AV_PKT_DATA_DISPLAYMATRIX, sizeof(matrix));
    std::memcpy(data, matrix.data(), sizeof(matrix));
  }

  void Encode(const AVFrame* frame) {
    Check(avcodec_send_frame(encoder_, frame));
    while (avcodec_receive_packet(encoder_, packet_) >= 0) {
      const auto found = std::lower_bound(
          spec_.stamps.begin(), spec_.stamps.end(), packet_->pts);
      const auto number = static_cast<int>(found - spec_.stamps.begin());
      const bool last = found + 1 == spec_.stamps.end();
      packet_->duration = last ? 1 : found[1] - found[0];
      if (spec_.damaged.count(number) > 0) {
        Check(av_packet_make_writable(packet_));
        std::memset(packet_->data, 0x55, static_cast<size_t>(packet_->size));
      }
      av_packet_rescale_ts(packet_, encoder_->time_base, stream_->time_base);
      packet_->stream_index = stream_->index;
      Check(av_interleaved_write_frame(output_, packet_));
    }
  }

  const ClipSpec& spec_;
  AVFormatContext* output_ = nullptr;
  AVCodecContext* encoder_ = nullptr;
  AVStream* stream_ = nullptr;
  AVPacket* packet_;
  AVFrame* frame_;
};

constexpr int kBits = 11;
// A bright one before them and a dark one behind tell that all is upright.
constexpr int kFields = kBits + 2;
constexpr int kBright = 210;
constexpr int kDark = 45;

bool IsBright(int number, int field) {
  if (field == 0) return true;
  if (field == kFields - 1) return false;
  return (number >> (field - 1) & 1) == 1;
}

}  // namespace

ClipYuv YuvOf(ClipColours colours, const uint8_t* rgb) {
  double red = 0.2126;
  double blue = 0.0722;
  if (colours == ClipColours::k601 || colours == ClipColours::kUntagged601) {
    red = 0.299;
    blue = 0.114;
  } else if (colours == ClipColours::k2020 || IsHdr(colours)) {
    red = 0.2627;
    blue = 0.0593;
  }
  const double r = rgb[0] / 255.0;
  const double b = rgb[2] / 255.0;
  const double y = red * r + (1 - red - blue) * rgb[1] / 255.0 + blue * b;
  const double cb = (b - y) / (2 - 2 * blue);
  const double cr = (r - y) / (2 - 2 * red);
  if (colours == ClipColours::k709Full) {
    return {255 * y, 128 + 255 * cb, 128 + 255 * cr};
  }
  const double scale = IsHdr(colours) ? 4 : 1;
  return {scale * (16 + 219 * y),
          scale * (128 + 224 * cb),
          scale * (128 + 224 * cr)};
}

void WriteClip(const ClipSpec& spec,
               const std::filesystem::path& path,
               const ClipPicture& picture) {
  Writer(spec, path).Write(picture);
}

std::vector<int64_t> UnevenStamps(int count, int64_t first) {
  std::vector<int64_t> stamps;
  for (int i = 0; i < count; ++i) {
    stamps.push_back(first);
    first += 11 + i * i * 17 % 43;
  }
  return stamps;
}

Image NumberedPicture(int number, int width, int height) {
  Image picture(width, height, 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      if (y < height / 4) {
        const bool bright = IsBright(number, x * kFields / width);
        std::fill_n(picture.At(x, y), 3, bright ? kBright : kDark);
        continue;
      }
      const double u = x + 2.0 * number;
      const double v = y + 0.5 * number;
      for (int c = 0; c < 3; ++c) {
        const double value = 128 + 45 * std::sin(u / 7 + v / 5 + 0.9 * c) +
                             40 * std::cos(u / 11 - v / 9 - 0.7 * c);
        picture.At(x, y)[c] = static_cast<uint8_t>(value + 0.5);
      }
    }
  }
  return picture;
}

int NumberIn(const Image& picture) {
  constexpr int kTolerance = 40;
  int number = 0;
  for (int field = 0; field < kFields; ++field) {
    const int x = (2 * field + 1) * picture.width / (2 * kFields);
    const int value = *picture.At(x, picture.height / 8);
    const bool bright = std::abs(value - kBright) < kTolerance;
    if (!bright && std::abs(value - kDark) >= kTolerance) return -1;
    if (field == 0 || field == kFields - 1) {
      if (bright != (field == 0)) return -1;
    } else if (bright) {
      number |= 1 << (field - 1);
    }
  }
  return number;
}

}  // namespace nerfpipe
