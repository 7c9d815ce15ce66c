#pragma once

// The chosen frames of one clip as files.

#include "pipeline/engine/stage.h"
#include "stages/capture/frame_layout.h"
#include "stages/capture/frame_names.h"
#include "stages/media/video_reader.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nerfpipe {

struct ClipToWrite {
  std::string title;  // "the video", for messages
  std::string name;   // as ListedFrame has it
  std::unique_ptr<VideoReader> reader;
  FrameLayout layout;
  int turn = 1;                 // the EXIF orientation to apply
  std::vector<int64_t> wanted;  // ascending
};

// Writes them into frames/ of context.out as frames first + 1 and so on of
// `count`, views of one direction after those of the one before. All get the
// size of most, or the larger; those of another shape are left out. Says so,
// and how many were damaged.
std::vector<WrittenFrame> WriteClipFrames(const StageContext& context,
                                          const ClipToWrite& clip,
                                          int64_t first,
                                          int64_t count,
                                          int jpeg_quality);

}  // namespace nerfpipe
