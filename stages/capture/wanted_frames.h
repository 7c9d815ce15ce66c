#pragma once

// The loop over the frames of a video that somebody wants.

#include "pipeline/base/interrupt.h"
#include "pipeline/base/report.h"
#include "stages/media/video_reader.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace nerfpipe {

// Calls body(frame) for the frames numbered `wanted` (ascending), in order; in
// place of a damaged one comes the next good one. Throws Interrupted.
template <typename Body>
void ForWantedFrames(const std::vector<int64_t>& wanted,
                     VideoReader* reader,
                     Progress* progress,
                     const Body& body) {
  size_t next = 0;
  while (next < wanted.size()) {
    ThrowIfInterrupted();
    const std::optional<VideoFrame> frame = reader->Next();
    if (!frame) return;
    progress->Update(frame->index() + 1);
    if (frame->index() < wanted[next]) continue;
    while (next < wanted.size() && wanted[next] <= frame->index()) ++next;
    body(*frame);
  }
}

}  // namespace nerfpipe
