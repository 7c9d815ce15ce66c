#include "stages/media/heif.h"

#include "pipeline/base/error.h"
#include "stages/media/image_file.h"
#include "tests/scenes/photos.h"
#include "tests/stages/media/test_pictures.h"
#include "tests/temporary_folder.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libheif/heif.h>

namespace nerfpipe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

heif_error Append(heif_context*, const void* data, size_t size, void* to) {
  static_cast<std::string*>(to)->append(static_cast<const char*>(data), size);
  return {heif_error_Ok, heif_suberror_Unspecified, ""};
}

// Nothing where this libheif has no encoder.
std::optional<std::string> MakeHeif(const Image& image,
                                    const std::string& exif) {
  heif_context* context = heif_context_alloc();
  heif_encoder* encoder = nullptr;
  std::optional<std::string> bytes;
  if (heif_context_get_encoder_for_format(
          context, heif_compression_HEVC, &encoder)
          .code == heif_error_Ok) {
    heif_encoder_set_lossy_quality(encoder, 95);
    heif_image* picture = nullptr;
    heif_image_create(image.width,
                      image.height,
                      heif_colorspace_RGB,
                      heif_chroma_interleaved_RGB,
                      &picture);
    heif_image_add_plane(
        picture, heif_channel_interleaved, image.width, image.height, 8);
    int stride = 0;
    uint8_t* plane =
        heif_image_get_plane(picture, heif_channel_interleaved, &stride);
    for (int y = 0; y < image.height; ++y) {
      std::copy_n(image.At(0, y), 3 * image.width, plane + y * stride);
    }
    heif_image_handle* handle = nullptr;
    heif_context_encode_image(context, picture, encoder, nullptr, &handle);
    heif_context_add_exif_metadata(
        context, handle, exif.data(), static_cast<int>(exif.size()));
    heif_writer writer = {1, &Append};
    bytes.emplace();
    heif_context_write(context, &writer, &*bytes);
    heif_image_handle_release(handle);
    heif_image_release(picture);
    heif_encoder_release(encoder);
  }
  heif_context_free(context);
  return bytes;
}

TEST(Heif, IsReadWithItsFocalLengthAndNotTurnedByExif) {
  // The container turns pictures itself; EXIF repeats what was done (ISO
  // 23008-12, 6.5.10).
  const Image picture = TestPicture(78, 52);
  const std::optional<std::string> bytes =
      MakeHeif(picture, ExifStructure(6, 24));
  if (!bytes) GTEST_SKIP() << "this libheif has no encoder";
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "a.heic";
  std::ofstream(path, std::ios::binary) << *bytes;
  EXPECT_GT(Psnr(ReadImage(path), picture), 26);
  EXPECT_EQ(ReadImageSize(path), (ImageSize{78, 52}));
  const ImageHeader header = ReadImageHeader(path);
  EXPECT_EQ(header.format, ImageHeader::Format::kHeif);
  EXPECT_EQ(header.orientation, 1);
  EXPECT_NEAR(header.focal, 24 / 43.2666, 1e-5);
}

TEST(Heif, DamageIsNamed) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "a.heic";
  std::ofstream(path, std::ios::binary) << std::string(
                                               "\0\0\0\x18"
                                               "ftypheic",
                                               12) +
                                               std::string(60, '\0');
  for (const bool header : {true, false}) {
    try {
      if (header) {
        ReadImageHeader(path);
      } else {
        ReadImage(path);
      }
      ADD_FAILURE();
    } catch (const UserError& error) {
      EXPECT_THAT(error.what(),
                  AllOf(HasSubstr("'" + path.string() + "'"),
                        HasSubstr("copy it again from the camera")));
    }
  }
}

}  // namespace
}  // namespace nerfpipe
