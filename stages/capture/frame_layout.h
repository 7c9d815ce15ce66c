#pragma once

// How a camera lays out what it sees in one picture: plainly, as two views for
// two eyes, or as the whole sphere.

#include "stages/common/image.h"
#include "stages/media/image_file.h"

#include <string>
#include <vector>

namespace nerfpipe {

struct FrameLayout {
  // Of two views the one that is used.
  enum class Half { kNone, kLeft, kUpper };

  Half half = Half::kNone;
  // Both views were squeezed to fit into a usual shape.
  bool squeezed = false;
  // Equirectangular: the width is 360 degrees, the height 180.
  bool panorama = false;

  // How many of the views that are used fit into the width of the picture.
  int ViewsAcross() const {
    return (half == Half::kLeft ? 2 : 1) * (panorama ? 4 : 1);
  }
  bool IsPlain() const { return half == Half::kNone && !panorama; }
  bool operator==(const FrameLayout&) const = default;
};

// What `samples` of a capture show: gray pictures of one size, of 640 pixels or
// so on the longer side, taken all over it. Most of them have to look like it,
// and at least three. `size` is that of the pictures in full; `wanted` is the
// option extract.layout. Throws UserError when equirectangular pictures are
// wanted that are not twice as wide as high.
FrameLayout FindLayout(const std::vector<Image>& samples,
                       const ImageSize& size,
                       const std::string& wanted);

// "two views side by side (stereo): of each the left one is used", with how to
// have it otherwise; empty for plain pictures.
std::string WordsFor(const FrameLayout& layout);

}  // namespace nerfpipe
