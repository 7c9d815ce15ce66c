#include "stages/capture/take_photo.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/capture/frame_masks.h"
#include "stages/capture/frame_names.h"
#include "stages/capture/frame_views.h"
#include "stages/media/image_file.h"
#include "stages/media/orientation.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

// Photos that COLMAP and every data loader read as we do.
bool CanStayAsIs(const ImageHeader& header) {
  const bool jpeg = header.format == ImageHeader::Format::kJpeg;
  const bool png = header.format == ImageHeader::Format::kPng;
  return (jpeg || png) && header.orientation == 1 && header.bits == 8 &&
         (header.channels == 1 || header.channels == 3 ||
          (png && header.channels == 4));
}

bool HasTransparentParts(const Image& image) {
  if (image.channels != 4) return false;
  for (size_t i = 3; i < image.pixels.size(); i += 4) {
    if (image.pixels[i] < 128) return true;
  }
  return false;
}

Image WithoutAlpha(const Image& image) {
  Image rgb(image.width, image.height, 3);
  for (size_t i = 0; 3 * i < rgb.pixels.size(); ++i) {
    std::copy_n(&image.pixels[4 * i], 3, &rgb.pixels[3 * i]);
  }
  return rgb;
}

// A photo as it was read.
struct Picture {
  ImageHeader header;
  bool as_is = false;  // then only a preview was read, if it has no alpha
  Image image;         // upright
  ImageSize upright;
};

Picture Read(const PhotoToTake& photo) {
  Picture picture;
  picture.header = ReadImageHeader(photo.path);
  const ImageHeader& header = picture.header;
  picture.as_is =
      photo.turn == 1 && photo.layout.IsPlain() && CanStayAsIs(header);
  if (picture.as_is && header.channels != 4) {
    // Only to find damage: a small preview still reads every byte.
    picture.image = ReadPreview(photo.path, 1);
    picture.upright = {header.width, header.height};
    return picture;
  }
  picture.image = ReadImage(photo.path, /*keep_alpha=*/true);
  picture.upright = {picture.image.width, picture.image.height};
  if (picture.image.channels == 4 && !HasTransparentParts(picture.image)) {
    picture.image = WithoutAlpha(picture.image);
    picture.as_is = false;
  }
  return picture;
}

// From the file beside the photo and its alpha; nothing when it has neither.
std::optional<Image> MaskOf(const PhotoToTake& photo,
                            const Picture& picture,
                            std::string* problem) {
  std::optional<Image> mask;
  if (picture.image.channels == 4) mask = MaskOfAlpha(picture.image);
  if (photo.mask.empty()) return mask;
  try {
    Image beside =
        ReadFrameMask(photo.mask, picture.upright, picture.header.orientation);
    if (mask) Intersect(*mask, &beside);
    return beside;
  } catch (const MachineError&) {
    throw;
  } catch (const UserError& error) {
    *problem = error.problem();
    return mask;
  }
}

// Not left to the system, which would not say which of the two it refuses.
void Copy(const fs::path& from, const fs::path& to) {
  WriteFileAside(to, ReadFile(from));
  // The copy of a read-only photo must not be read-only itself.
  std::error_code ignored;
  const fs::perms perms = fs::status(from, ignored).permissions();
  fs::permissions(to, perms | fs::perms::owner_write, ignored);
}

}  // namespace

TakenPhoto TakePhoto(const PhotoToTake& photo,
                     const fs::path& out,
                     int jpeg_quality) {
  TakenPhoto taken;
  Picture picture;
  try {
    picture = Read(photo);
  } catch (const MachineError&) {
    throw;
  } catch (const UserError& error) {
    taken.problem = error.problem();
    return taken;
  }
  const bool png = picture.header.format == ImageHeader::Format::kPng;
  taken.transparent = picture.image.channels == 4;
  taken.suffix = png || taken.transparent ? ".png" : ".jpg";
  taken.gist = GistOf(picture.image);
  if (photo.layout.panorama) {
    taken.focal = kPanoramaFocal;
  } else if (photo.layout.IsPlain()) {
    taken.focal = picture.header.focal;
  }
  const auto name = [&](size_t view) {
    return WrittenName(
        photo.number, photo.count, static_cast<int>(view), taken.suffix);
  };
  std::optional<Image> mask = MaskOf(photo, picture, &taken.mask_problem);
  if (picture.as_is) {
    Copy(photo.path, out / kFrameFolder / name(0));
  } else {
    const std::vector<Image> views =
        CutViews(ApplyOrientation(std::move(picture.image), photo.turn),
                 photo.layout,
                 Resampling::kSmooth);
    taken.views = static_cast<int>(views.size());
    for (size_t k = 0; k < views.size(); ++k) {
      WriteImage(views[k], out / kFrameFolder / name(k), jpeg_quality);
    }
  }
  if (!mask) return taken;
  taken.masked = true;
  const std::vector<Image> masks =
      CutViews(ApplyOrientation(std::move(*mask), photo.turn),
               photo.layout,
               Resampling::kNearest);
  for (size_t k = 0; k < masks.size(); ++k) {
    WriteImage(masks[k], MaskFileOf(out, name(k)));
  }
  return taken;
}

}  // namespace nerfpipe
