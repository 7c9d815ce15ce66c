#include "stages/media/heif.h"

#include "stages/media/header_bytes.h"

#include <algorithm>
#include <memory>
#include <new>
#include <string>

#include <libheif/heif.h>

namespace nerfpipe {
namespace {

void Require(const heif_error& error) {
  if (error.code == heif_error_Memory_allocation_error) throw std::bad_alloc();
  if (error.code != heif_error_Ok) throw DamagedHeif(error.message);
}

// The file and its primary picture.
class HeifFile {
 public:
  explicit HeifFile(std::string_view bytes)
      : context_(heif_context_alloc(), heif_context_free),
        primary_(nullptr, heif_image_handle_release) {
    Require(heif_context_read_from_memory_without_copy(
        context_.get(), bytes.data(), bytes.size(), nullptr));
    heif_image_handle* handle = nullptr;
    Require(heif_context_get_primary_image_handle(context_.get(), &handle));
    primary_.reset(handle);
  }

  const heif_image_handle* primary() const { return primary_.get(); }

 private:
  std::unique_ptr<heif_context, decltype(&heif_context_free)> context_;
  std::unique_ptr<heif_image_handle, decltype(&heif_image_handle_release)>
      primary_;
};

std::string ExifOf(const heif_image_handle* picture) {
  heif_item_id id = 0;
  if (heif_image_handle_get_list_of_metadata_block_IDs(
          picture, "Exif", &id, 1) != 1) {
    return "";
  }
  std::string block(heif_image_handle_get_metadata_size(picture, id), '\0');
  if (heif_image_handle_get_metadata(picture, id, block.data()).code !=
      heif_error_Ok) {
    return "";
  }
  // Four bytes say how far behind them the TIFF structure begins (ISO 23008-12,
  // A.2.1).
  const size_t begin = size_t{4} + HeaderBytes(block).U32(0);
  return begin < block.size() ? block.substr(begin) : "";
}

}  // namespace

Image DecodeHeif(std::string_view bytes) {
  const HeifFile file(bytes);
  heif_image* decoded = nullptr;
  Require(heif_decode_image(file.primary(),
                            &decoded,
                            heif_colorspace_RGB,
                            heif_chroma_interleaved_RGB,
                            nullptr));
  const std::unique_ptr<heif_image, decltype(&heif_image_release)> owner(
      decoded, heif_image_release);
  int stride = 0;
  const uint8_t* plane =
      heif_image_get_plane_readonly(decoded, heif_channel_interleaved, &stride);
  Image image(heif_image_get_width(decoded, heif_channel_interleaved),
              heif_image_get_height(decoded, heif_channel_interleaved),
              3);
  if (plane == nullptr) throw DamagedHeif("no pixels");
  for (int y = 0; y < image.height; ++y) {
    std::copy_n(plane + static_cast<ptrdiff_t>(y) * stride,
                static_cast<size_t>(3) * image.width,
                image.At(0, y));
  }
  return image;
}

HeifHeader ReadHeifHeader(std::string_view bytes) {
  const HeifFile file(bytes);
  return {heif_image_handle_get_width(file.primary()),
          heif_image_handle_get_height(file.primary()),
          ExifOf(file.primary())};
}

}  // namespace nerfpipe
