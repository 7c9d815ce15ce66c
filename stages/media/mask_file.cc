#include "stages/media/mask_file.h"

#include "pipeline/base/error.h"
#include "stages/media/image_file.h"

#include <string>

namespace nerfpipe {

Image ReadMask(const std::filesystem::path& path, int width, int height) {
  const Image image = ReadImage(path);
  const auto size_text = [](int w, int h) {
    return std::to_string(w) + "x" + std::to_string(h);
  };
  if (image.width != width || image.height != height) {
    throw UserError("the mask " + path.string() + " is " +
                        size_text(image.width, image.height) +
                        " but its image is " + size_text(width, height),
                    "give masks the size of their images");
  }
  Image mask(width, height, 1);
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    mask.pixels[i] = image.pixels[i * image.channels] >= 128 ? 255 : 0;
  }
  return mask;
}

}  // namespace nerfpipe
