#pragma once

// Clips as cameras and editors make them, in which nothing is tidy: written by
// FFmpeg's libraries, since the product's VideoWriter knows only one rate,
// square pixels and one set of tags.

#include "stages/common/image.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace nerfpipe {

enum class ClipColours {
  kUntagged601,  // BT.601, and nothing says so
  kUntagged709,
  k601,
  k709,
  k709Full,
  k2020,
  kPq,   // 10 bits, BT.2020
  kHlg,  // likewise
};

// The container goes by the suffix. What `encoder` makes in .mkv is lossless
// unless another is named; stamps are milliseconds there.
struct ClipSpec {
  int width = 174;  // as stored
  int height = 98;
  // When each frame is shown, ascending. What lies below 0 is cut away by an
  // edit list (.mp4 and .mov).
  std::vector<int64_t> stamps;
  int ticks = 1000;  // of the stamps, in a second
  // A pixel's sides against each other.
  int pixel_width = 1;
  int pixel_height = 1;
  ClipColours colours = ClipColours::k709;
  bool full_chroma = false;  // 4:4:4
  int orientation = 1;       // numbered as in EXIF, told by a display matrix
  int b_frames = 0;          // of libx264
  // Each frame is woven from two pictures, the top field first.
  bool interlaced = false;
  bool flagged = true;    // the stream says that it is interlaced
  std::set<int> damaged;  // frames whose bytes are overwritten
  std::string encoder;    // "": ffv1 in .mkv, else libx264
};

// picture(i): frame i as stored, of the clip's size; of interlaced clips
// picture(2 i) and picture(2 i + 1) are woven.
using ClipPicture = std::function<Image(int)>;

void WriteClip(const ClipSpec& spec,
               const std::filesystem::path& path,
               const ClipPicture& picture);

// `count` stamps of which no two follow each other like the two before.
std::vector<int64_t> UnevenStamps(int count, int64_t first);

// A pattern that moves from number to number, below a row of dark and bright
// fields that tell the number (below 2048).
Image NumberedPicture(int number, int width, int height);

// -1 when the picture carries none, or not upright. It may be of any size, and
// gray.
int NumberIn(const Image& picture);

// Y, Cb and Cr (0 to 255, or 1023 of 10 bits) of a colour.
struct ClipYuv {
  double y, cb, cr;
};
ClipYuv YuvOf(ClipColours colours, const uint8_t* rgb);

}  // namespace nerfpipe
