#pragma once

// Opening a video file and finding out what it holds.

#include "stages/media/av.h"
#include "stages/media/video_reader.h"

#include <filesystem>

struct AVCodec;

namespace nerfpipe {

struct VideoInput {
  av::Owned<AVFormatContext> format;
  int stream = 0;
  const AVCodec* decoder = nullptr;
  VideoInfo info;
  double pixel_aspect = 1;  // width of a pixel over its height
};

// Throws UserError as VideoReader does. Reads the whole file once, to count.
VideoInput OpenVideoInput(const std::filesystem::path& path);

}  // namespace nerfpipe
