#pragma once

// Decoding video files: upright 8-bit RGB frames with their time stamps,
// whatever the container, codec, pixel format or rotation.

#include "stages/common/image.h"
#include "stages/media/image_file.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct AVFrame;

namespace nerfpipe {

struct VideoInfo {
  int width = 0;  // upright, with square pixels
  int height = 0;
  // Frames that the file holds, counted by reading it; fewer may decode.
  int64_t frames = 0;
  // Frames that the header announces but the file does not hold.
  int64_t missing_frames = 0;
  double duration = 0;           // seconds
  double frames_per_second = 0;  // mean
  std::string codec;             // "h264"
  std::string hdr;               // "", "HLG" or "PQ"
  int orientation = 1;           // of the stored picture, numbered as in EXIF
};

// A decoded picture, cheap to copy. May outlive its reader.
class VideoFrame {
 public:
  // Number of the frame in the clip, from 0.
  int64_t index() const { return index_; }
  // Seconds from the clip's first frame, from the stream's time stamps.
  double time() const { return time_; }
  // Of ToImage(). A stream may change it on the way.
  ImageSize size() const;
  // Upright RGB with square pixels; HDR is brought to standard range. May be
  // called from any thread.
  Image ToImage() const;
  // Gray and upright, for measuring: at most `longer_side` pixels on the longer
  // side. May be called from any thread.
  Image ToGrayPreview(int longer_side) const;

 private:
  friend class VideoReader;

  int64_t index_ = 0;
  double time_ = 0;
  int orientation_ = 1;
  double pixel_aspect_ = 1;
  std::shared_ptr<const AVFrame> picture_;
};

class VideoReader {
 public:
  // Throws UserError when there is no such file, it is no video, has no
  // picture or is cut off before its index, or no decoder is available.
  // `threads`: for decoding, >= 1.
  explicit VideoReader(const std::filesystem::path& path, int threads = 1);
  // The file of `counted` from its beginning, without reading all of it once
  // more to count.
  VideoReader(const VideoReader& counted, int threads);
  ~VideoReader();
  VideoReader(const VideoReader&) = delete;
  VideoReader& operator=(const VideoReader&) = delete;

  const VideoInfo& info() const;

  // Says which frames matter (their numbers, ascending): others may then be
  // left out by Next(), which is quicker. To be called before it.
  void DecodeOnly(const std::vector<int64_t>& indices);

  // The next undamaged frame in order of presentation, or nothing at the end.
  // Interlaced pictures are de-interlaced (one per pair of fields).
  std::optional<VideoFrame> Next();

  // Pictures so far that were damaged or could not be decoded.
  int64_t damaged() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nerfpipe
