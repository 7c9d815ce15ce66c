#pragma once

// Image files in and out; orientation is handled here.

#include "stages/common/image.h"
#include "stages/media/image_header.h"

#include <filesystem>

namespace nerfpipe {

// Is this the name of an image file that ReadImage understands, by suffix in
// any case?
bool HasImageSuffix(const std::filesystem::path& path);

// The name of a picture in a format that has to be converted first (camera raw
// and the like)?
bool HasForeignImageSuffix(const std::filesystem::path& path);

// 8-bit RGB (3 channels), or RGBA when `keep_alpha` and the file has alpha.
// Gray, palette, CMYK, 16-bit and HEIC files are converted; EXIF orientation is
// applied to the pixels. Throws UserError naming the file when it is missing,
// damaged or of an unknown kind. Any UTF-8 path works.
Image ReadImage(const std::filesystem::path& path, bool keep_alpha = false);

// RGB, for measuring: at the smallest size that is quick to decode and whose
// longer side is at least `least_side` (or as stored when it is smaller).
// Errors as above.
Image ReadPreview(const std::filesystem::path& path, int least_side);

// Width and height after orientation, reading only what is needed.
struct ImageSize {
  int width = 0;
  int height = 0;
  bool operator==(const ImageSize&) const = default;
};
ImageSize ReadImageSize(const std::filesystem::path& path);

// What the first bytes of the file say; errors as above, except that damage
// further on goes unnoticed.
ImageHeader ReadImageHeader(const std::filesystem::path& path);

// JPEG (by suffix .jpg; 4:4:4 chroma, `quality` 1 to 100) or PNG. Equal pixels
// give equal bytes. Throws UserError when the disk refuses.
void WriteImage(const Image& image,
                const std::filesystem::path& path,
                int quality = 95);

}  // namespace nerfpipe
