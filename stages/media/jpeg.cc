#include "stages/media/jpeg.h"

#include "pipeline/base/error.h"
#include "stages/media/image_header.h"

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>
#include <vector>

// After <cstdio>, which they need.
#include <jerror.h>
#include <jpeglib.h>

namespace nerfpipe {
namespace {

// libjpeg's errors leave by longjmp: no object with a destructor may live
// between setjmp and the calls.
struct ErrorManager {
  jpeg_error_mgr base;
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
  bool damaged;
};

void LeaveByJump(j_common_ptr info) {
  auto* manager = reinterpret_cast<ErrorManager*>(info->err);
  manager->base.format_message(info, manager->message);
  std::longjmp(manager->jump, 1);
}

// Warnings that mean lost pixels. Others (stray bytes between segments, an
// odd Adobe marker) are harmless.
bool MeansDamage(int code) {
  return code == JWRN_HIT_MARKER || code == JWRN_JPEG_EOF ||
         code == JWRN_HUFF_BAD_CODE || code == JWRN_MUST_RESYNC;
}

void NoteWarning(j_common_ptr info, int level) {
  auto* manager = reinterpret_cast<ErrorManager*>(info->err);
  if (level >= 0 || manager->damaged) return;
  if (MeansDamage(manager->base.msg_code)) {
    manager->damaged = true;
    manager->base.format_message(info, manager->message);
  }
}

void Silence(j_common_ptr) {}

void SetUp(ErrorManager* manager) {
  jpeg_std_error(&manager->base);
  manager->base.error_exit = LeaveByJump;
  manager->base.emit_message = NoteWarning;
  manager->base.output_message = Silence;
  manager->message[0] = 0;
  manager->damaged = false;
}

// libjpeg counts it among the errors of a file.
void RequireMemory(const ErrorManager& manager) {
  if (manager.base.msg_code == JERR_OUT_OF_MEMORY) throw std::bad_alloc();
}

void ChooseScale(jpeg_decompress_struct* info, int least_side) {
  if (least_side <= 0) return;
  const JDIMENSION side = std::max(info->image_width, info->image_height);
  for (unsigned int scale = 8; scale > 1; scale /= 2) {
    if (side / scale >= static_cast<unsigned int>(least_side)) {
      info->scale_num = 1;
      info->scale_denom = scale;
      return;
    }
  }
}

// Everything between setjmp and the end; `pixels` belongs to the caller.
bool Decode(std::string_view bytes,
            int least_side,
            jpeg_decompress_struct* info,
            ErrorManager* manager,
            std::vector<uint8_t>* pixels) {
  if (setjmp(manager->jump) != 0) return false;
  jpeg_create_decompress(info);
  jpeg_mem_src(info,
               reinterpret_cast<const unsigned char*>(bytes.data()),
               static_cast<unsigned long>(bytes.size()));
  jpeg_read_header(info, TRUE);
  if (static_cast<double>(info->image_width) * info->image_height >
      kMostPixels) {
    std::snprintf(manager->message,
                  sizeof(manager->message),
                  "it claims to be %ux%u",
                  info->image_width,
                  info->image_height);
    return false;
  }
  info->out_color_space = info->num_components == 4 ? JCS_CMYK : JCS_RGB;
  ChooseScale(info, least_side);
  jpeg_start_decompress(info);
  const size_t row_size =
      static_cast<size_t>(info->output_width) * info->output_components;
  pixels->resize(row_size * info->output_height);
  while (info->output_scanline < info->output_height) {
    JSAMPROW row = pixels->data() + row_size * info->output_scanline;
    jpeg_read_scanlines(info, &row, 1);
  }
  jpeg_finish_decompress(info);
  return !manager->damaged;
}

// Adobe's programs store CMYK inverted and say so by their marker.
Image FromCmyk(const Image& cmyk, bool inverted) {
  Image image(cmyk.width, cmyk.height, 3);
  const size_t count = static_cast<size_t>(image.width) * image.height;
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* in = &cmyk.pixels[4 * i];
    const int black = inverted ? in[3] : 255 - in[3];
    for (int c = 0; c < 3; ++c) {
      const int ink = inverted ? in[c] : 255 - in[c];
      image.pixels[3 * i + c] = static_cast<uint8_t>((ink * black + 127) / 255);
    }
  }
  return image;
}

bool Encode(const Image& image,
            int quality,
            JpegChroma chroma,
            jpeg_compress_struct* info,
            ErrorManager* manager,
            unsigned char** buffer,
            unsigned long* size) {
  if (setjmp(manager->jump) != 0) return false;
  jpeg_create_compress(info);
  jpeg_mem_dest(info, buffer, size);
  info->image_width = static_cast<JDIMENSION>(image.width);
  info->image_height = static_cast<JDIMENSION>(image.height);
  info->input_components = image.channels;
  info->in_color_space = image.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(info);
  jpeg_set_quality(info, quality, TRUE);
  if (image.channels == 3) {
    const int luma_samples = chroma == JpegChroma::kFull ? 1 : 2;
    info->comp_info[0].h_samp_factor = luma_samples;
    info->comp_info[0].v_samp_factor = luma_samples;
  }
  jpeg_start_compress(info, TRUE);
  while (info->next_scanline < info->image_height) {
    auto* row = const_cast<uint8_t*>(
        image.At(0, static_cast<int>(info->next_scanline)));
    jpeg_write_scanlines(info, &row, 1);
  }
  jpeg_finish_compress(info);
  return true;
}

}  // namespace

Image DecodeJpeg(std::string_view bytes, int least_side) {
  jpeg_decompress_struct info = {};
  ErrorManager manager;
  SetUp(&manager);
  info.err = &manager.base;
  Image image;
  const bool done = Decode(bytes, least_side, &info, &manager, &image.pixels);
  image.width = static_cast<int>(info.output_width);
  image.height = static_cast<int>(info.output_height);
  image.channels = info.output_components;
  const bool inverted = info.saw_Adobe_marker;
  jpeg_destroy_decompress(&info);
  RequireMemory(manager);
  if (!done) throw DamagedJpeg(manager.message);
  if (image.channels == 4) return FromCmyk(image, inverted);
  return image;
}

std::string EncodeJpeg(const Image& image, int quality, JpegChroma chroma) {
  NERFPIPE_CHECK(image.channels == 1 || image.channels == 3);
  jpeg_compress_struct info = {};
  ErrorManager manager;
  SetUp(&manager);
  info.err = &manager.base;
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  const bool done =
      Encode(image, quality, chroma, &info, &manager, &buffer, &size);
  const std::unique_ptr<unsigned char, decltype(&std::free)> owner(buffer,
                                                                   &std::free);
  jpeg_destroy_compress(&info);
  RequireMemory(manager);
  if (!done) {
    throw UserError("an image of " + std::to_string(image.width) + "x" +
                        std::to_string(image.height) +
                        " does not fit into a JPEG file (" + manager.message +
                        ")",
                    "use PNG, or a smaller size");
  }
  return std::string(reinterpret_cast<char*>(buffer), size);
}

}  // namespace nerfpipe
