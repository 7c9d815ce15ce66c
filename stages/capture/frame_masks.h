#pragma once

// Pictures beside photos that tell which parts of them count.

#include "stages/capture/capture_listing.h"
#include "stages/common/image.h"
#include "stages/media/image_file.h"

#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe {

struct PairedMasks {
  std::vector<std::string> photos;    // those that are no masks, in order
  std::vector<std::string> of_photo;  // name of the mask; empty for none
  std::vector<std::string> alone;     // masks without their photo
};

// A mask of a/NAME.jpg is called a/NAME_mask.png, a/NAME.jpg.png,
// a/NAME.jpg.mask.png or a/masks/NAME.png, case and kind aside; with
// a/images/NAME.jpg also a/masks/NAME.png. Where all names end in "_mask" they
// are photos.
PairedMasks PairMasks(const CaptureListing& listing);

// Gray, of the given size: 255 where the mask is white, 0 where it is black or
// transparent. `upright` is the size of the photo as it is shown, and
// `orientation` the EXIF one, which masks that lie as its stored pixels do get
// as well. Throws UserError as ReadImage does.
Image ReadFrameMask(const std::filesystem::path& path,
                    const ImageSize& upright,
                    int orientation);

// Gray, 255 where the picture's alpha is at least 128.
Image MaskOfAlpha(const Image& rgba);

// Black where either is.
void Intersect(const Image& other, Image* mask);

}  // namespace nerfpipe
