#pragma once

// The report card as one HTML file that needs no other.

#include "stages/capture/report_card.h"
#include "stages/common/capture_file.h"
#include "stages/common/image.h"

#include <string>
#include <vector>

namespace nerfpipe {

// `thumbnails` (RGB) are of the capture's frames, in their order; `title` is
// the capture's name.
std::string ReportPage(const std::string& title,
                       const CaptureFile& capture,
                       const std::vector<Verdict>& card,
                       const std::vector<Image>& thumbnails);

}  // namespace nerfpipe
