#pragma once

// Opening a video file and finding out what it holds.

#include "stages/media/av.h"
#include "stages/media/file_input.h"
#include "stages/media/video_reader.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

struct AVCodec;

namespace nerfpipe {

struct VideoInput {
  std::unique_ptr<FileInput> file;  // outlives `format`
  av::Owned<AVFormatContext> format;
  int stream = 0;
  const AVCodec* decoder = nullptr;
  VideoInfo info;
  double pixel_aspect = 1;  // width of a pixel over its height
  // Time stamps of all frames in order of presentation; empty when they do not
  // tell the frames apart.
  std::vector<int64_t> stamps;
};

// Throws UserError as VideoReader does. Reads the whole file once, to count.
VideoInput OpenVideoInput(const std::filesystem::path& path);

// The same file from its beginning, without counting again.
VideoInput ReopenVideoInput(const std::filesystem::path& path,
                            const VideoInput& counted);

}  // namespace nerfpipe
