#pragma once

// One photo becomes a frame, or several.

#include "stages/capture/frame_layout.h"
#include "stages/capture/photo_copies.h"

#include <filesystem>
#include <string>

namespace nerfpipe {

struct PhotoToTake {
  std::filesystem::path path;
  std::filesystem::path mask;  // empty: none
  int turn = 1;                // as of TurnsToOneShape
  FrameLayout layout;
  // Of the frames among the written ones (WrittenName).
  int64_t number = 1;
  int64_t count = 1;
};

struct TakenPhoto {
  std::string suffix;
  int views = 1;
  bool masked = false;       // there are files in frame_masks/
  bool transparent = false;  // and the frame has alpha
  double focal = 0;          // as ListedFrame has it
  PictureGist gist = {};
  std::string problem;       // why it was left out; empty when it was not
  std::string mask_problem;  // why its mask was
};

// Writes into frames/ and frame_masks/ of `out`. A photo that cannot be read is
// a problem of that photo; one that cannot be written throws UserError.
TakenPhoto TakePhoto(const PhotoToTake& photo,
                     const std::filesystem::path& out,
                     int jpeg_quality);

}  // namespace nerfpipe
