#include "stages/media/video_frame.h"

#include "pipeline/base/error.h"
#include "stages/media/av.h"
#include "stages/media/orientation.h"
#include "stages/media/tone_map.h"
#include "stages/media/video_reader.h"
#include "stages/media/yuv_to_rgb.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <new>
#include <string>
#include <utility>

extern "C" {
#include <libavutil/frame.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

namespace nerfpipe {
namespace {

int MatrixOf(const AVFrame& picture) {
  switch (picture.colorspace) {
    case AVCOL_SPC_BT709:
      return SWS_CS_ITU709;
    case AVCOL_SPC_FCC:
      return SWS_CS_FCC;
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
      return SWS_CS_ITU601;
    case AVCOL_SPC_SMPTE240M:
      return SWS_CS_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
      return SWS_CS_BT2020;
    default: {
      // Untagged: high definition is BT.709, smaller sizes are BT.601.
      const int longer = std::max(picture.width, picture.height);
      const int shorter = std::min(picture.width, picture.height);
      return longer >= 1280 || shorter > 576 ? SWS_CS_ITU709 : SWS_CS_ITU601;
    }
  }
}

bool IsFullRange(const AVFrame& picture) {
  switch (picture.format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ411P:
      return true;
    default:
      return picture.color_range == AVCOL_RANGE_JPEG;
  }
}

// Scales and converts into `to`, whose size and format are set. `filter`: flags
// of libswscale.
void Convert(const AVFrame& picture, int filter, AVFrame* to) {
  const auto format = static_cast<AVPixelFormat>(picture.format);
  const av::Owned<SwsContext> context(
      sws_getContext(picture.width,
                     picture.height,
                     format,
                     to->width,
                     to->height,
                     static_cast<AVPixelFormat>(to->format),
                     filter,
                     nullptr,
                     nullptr,
                     nullptr));
  if (!context && sws_isSupportedInput(format) != 0) throw std::bad_alloc();
  if (!context) {
    const char* name = av_get_pix_fmt_name(format);
    throw UserError(std::string("pictures of the format ") +
                        (name ? name : "unknown") + " cannot be converted",
                    "convert the video to H.264 first");
  }
  const int* matrix = sws_getCoefficients(MatrixOf(picture));
  sws_setColorspaceDetails(context.get(),
                           matrix,
                           IsFullRange(picture) ? 1 : 0,
                           matrix,
                           1,
                           0,
                           1 << 16,
                           1 << 16);
  // Padded rows: the converter may write past the end of a row.
  if (av_frame_get_buffer(to, 0) < 0) throw std::bad_alloc();
  sws_scale(context.get(),
            picture.data,
            picture.linesize,
            0,
            picture.height,
            to->data,
            to->linesize);
}

// In square pixels.
int SquareWidth(const AVFrame& picture, double pixel_aspect) {
  return std::max(1,
                  static_cast<int>(std::lround(picture.width * pixel_aspect)));
}

// The pictures that nearly every camera makes, for which there is a quicker
// and better conversion than libswscale's.
bool IsCommon(const AVFrame& picture) {
  const bool format = picture.format == AV_PIX_FMT_YUV420P ||
                      picture.format == AV_PIX_FMT_YUVJ420P;
  const bool siting = picture.chroma_location == AVCHROMA_LOC_UNSPECIFIED ||
                      picture.chroma_location == AVCHROMA_LOC_LEFT;
  const int matrix = MatrixOf(picture);
  const bool hdr = picture.color_trc == AVCOL_TRC_SMPTE2084 ||
                   picture.color_trc == AVCOL_TRC_ARIB_STD_B67;
  return format && siting && !hdr &&
         (matrix == SWS_CS_ITU709 || matrix == SWS_CS_ITU601 ||
          matrix == SWS_CS_BT2020);
}

Image FromCommon(const AVFrame& picture) {
  Yuv420 yuv;
  yuv.width = picture.width;
  yuv.height = picture.height;
  for (int c = 0; c < 3; ++c) {
    yuv.planes[c] = picture.data[c];
    yuv.strides[c] = picture.linesize[c];
  }
  switch (MatrixOf(picture)) {
    case SWS_CS_ITU709:
      yuv.red = 0.2126;
      yuv.blue = 0.0722;
      break;
    case SWS_CS_BT2020:
      yuv.red = 0.2627;
      yuv.blue = 0.0593;
      break;
    default:
      yuv.red = 0.299;
      yuv.blue = 0.114;
  }
  yuv.full_range = IsFullRange(picture);
  return RgbOfYuv420(yuv);
}

}  // namespace

Image RgbOfPicture(const AVFrame& picture, double pixel_aspect) {
  if (IsCommon(picture) && pixel_aspect == 1) return FromCommon(picture);
  const bool pq = picture.color_trc == AVCOL_TRC_SMPTE2084;
  const bool hlg = picture.color_trc == AVCOL_TRC_ARIB_STD_B67;
  const av::Owned<AVFrame> rgb = av::MakeFrame();
  rgb->width = SquareWidth(picture, pixel_aspect);
  rgb->height = picture.height;
  rgb->format = pq || hlg ? AV_PIX_FMT_RGB48 : AV_PIX_FMT_RGB24;
  // Chroma is interpolated, not repeated: feature points sit on edges.
  Convert(
      picture, SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, rgb.get());
  Image image(rgb->width, rgb->height, 3);
  for (int y = 0; y < image.height; ++y) {
    const uint8_t* row = rgb->data[0] + int64_t{y} * rgb->linesize[0];
    if (pq || hlg) {
      ToneMap(pq ? HdrTransfer::kPq : HdrTransfer::kHlg,
              reinterpret_cast<const uint16_t*>(row),
              image.width,
              image.At(0, y));
    } else {
      std::copy(row, row + size_t{3} * image.width, image.At(0, y));
    }
  }
  return image;
}

Image GrayOfPicture(const AVFrame& picture,
                    double pixel_aspect,
                    int longer_side) {
  const double width = picture.width * pixel_aspect;
  const double scale =
      std::min(1.0, longer_side / std::max<double>(width, picture.height));
  const av::Owned<AVFrame> gray = av::MakeFrame();
  gray->width = std::max(1, static_cast<int>(std::lround(width * scale)));
  gray->height =
      std::max(1, static_cast<int>(std::lround(picture.height * scale)));
  gray->format = AV_PIX_FMT_GRAY8;
  Convert(picture, SWS_AREA, gray.get());
  Image image(gray->width, gray->height, 1);
  for (int y = 0; y < image.height; ++y) {
    const uint8_t* row = gray->data[0] + int64_t{y} * gray->linesize[0];
    std::copy(row, row + image.width, image.At(0, y));
  }
  return image;
}

ImageSize VideoFrame::size() const {
  ImageSize size{SquareWidth(*picture_, pixel_aspect_), picture_->height};
  if (OrientationSwapsSides(orientation_)) std::swap(size.width, size.height);
  return size;
}

Image VideoFrame::ToGrayPreview(int longer_side) const {
  return ApplyOrientation(GrayOfPicture(*picture_, pixel_aspect_, longer_side),
                          orientation_);
}

Image VideoFrame::ToImage() const {
  return ApplyOrientation(RgbOfPicture(*picture_, pixel_aspect_), orientation_);
}

}  // namespace nerfpipe
