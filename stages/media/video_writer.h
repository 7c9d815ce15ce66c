#pragma once

// H.264 in MP4, playable in a browser (yuv420p, BT.709, moov first).

#include "stages/common/image.h"

#include <filesystem>
#include <memory>

namespace nerfpipe {

class VideoWriter {
 public:
  // Odd sizes are padded by repeating the last row or column. `crf` is x264's
  // quality (lower is better, 18 is visually lossless), `preset` how long it
  // takes to make the file smaller ("veryfast", "medium"). Throws UserError
  // when the file cannot be written or no H.264 encoder is available.
  VideoWriter(const std::filesystem::path& path,
              int width,
              int height,
              double frames_per_second,
              int crf = 18,
              const char* preset = "medium");
  ~VideoWriter();
  VideoWriter(const VideoWriter&) = delete;
  VideoWriter& operator=(const VideoWriter&) = delete;

  // RGB, of the size given above.
  void Write(const Image& frame);
  // Writes what is left and closes the file. Must be called for a complete
  // file; the destructor alone discards.
  void Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nerfpipe
