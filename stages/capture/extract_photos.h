#pragma once

// A folder of photos as frames.

#include "pipeline/engine/stage.h"
#include "stages/capture/extract_stage.h"
#include "stages/capture/frame_list.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace nerfpipe {

// Orders names as people do: "2.jpg" before "10.jpg", case aside.
bool NaturalLess(std::string_view a, std::string_view b);

// Takes every image of the capture into `folder` (which exists): byte for byte
// when it is an upright 8-bit gray or RGB JPEG or PNG, else re-encoded upright.
// Damaged ones are left out with a warning. Throws UserError when no usable
// image is there.
FrameList ExtractPhotos(const StageContext& context,
                        const ExtractOptions& options,
                        const std::filesystem::path& folder);

}  // namespace nerfpipe
