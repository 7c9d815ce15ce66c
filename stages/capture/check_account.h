#pragma once

// What the stage check says of the frames: on the terminal, in summary.json,
// and when too few are left.

#include "pipeline/base/report.h"
#include "pipeline/engine/stage.h"
#include "stages/capture/report_card.h"
#include "stages/common/capture_file.h"

#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

namespace nerfpipe {

// Of the frames of a capture, how many went for which reason.
struct FrameCounts {
  int64_t frames = 0;
  int64_t kept = 0;
  int64_t other_size = 0;
  int64_t thinned = 0;
  int64_t duplicates = 0;
  int64_t blurred = 0;
};

// Says what was left out, and of photos how many sizes there are.
void TellAbout(const CaptureFile& capture,
               const FrameCounts& counts,
               Report& report);

// As a table, and the advice a line each: as a warning where it is bad.
void ShowCard(const std::vector<Verdict>& card, Report& report);

// As summary.json has it.
nlohmann::ordered_json CardAsJson(const std::vector<Verdict>& card);

// The failure where less than kFewestFrames are left.
StageResult TooFew(const CaptureFile& capture, const FrameCounts& counts);

}  // namespace nerfpipe
