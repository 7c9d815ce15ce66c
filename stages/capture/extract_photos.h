#pragma once

// A folder of photos as frames.

#include "pipeline/engine/stage.h"
#include "stages/capture/capture_listing.h"
#include "stages/capture/extract_stage.h"
#include "stages/capture/frame_list.h"

namespace nerfpipe {

// Takes the listed photos of the capture, which are not none, into frames/ and
// their masks into frame_masks/ (both exist, in context.out): byte for byte
// what is an upright 8-bit gray or RGB JPEG or PNG, or a PNG with transparent
// parts; else re-encoded upright, with alpha where parts are transparent. Of
// panoramas and stereo pictures their views. Damaged ones and copies are left
// out with a line. Throws UserError when no usable image is there.
FrameList ExtractPhotos(const StageContext& context,
                        const ExtractOptions& options,
                        const CaptureListing& listing);

}  // namespace nerfpipe
