#pragma once

// How much there is to a capture, by the headers of its files: to say
// beforehand what a run will cost.

#include <cstdint>
#include <filesystem>
#include <optional>

namespace nerfpipe {

struct CaptureSize {
  bool video = false;  // or several
  int64_t count = 0;   // frames of the clips together, or photos
  int width = 0;       // of the first of them, upright
  int height = 0;

  bool operator==(const CaptureSize&) const = default;
};

// Nothing where `extract` would refuse it, which also says why.
std::optional<CaptureSize> MeasureCapture(const std::filesystem::path& capture);

}  // namespace nerfpipe
