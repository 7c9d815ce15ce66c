#pragma once

// .nerfpipe/frames.json: what extract tells check about each frame.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe {

inline constexpr char kFrameFolder[] = "frames";
inline constexpr char kFrameListFile[] = ".nerfpipe/frames.json";

struct ListedFrame {
  std::string name;      // in frames/
  std::string original;  // photos: name in the capture folder
  // Photos: focal length that EXIF tells, in parts of the diagonal; 0: none.
  double focal = 0;
  int64_t index = 0;  // video: number in the clip, from 0
  double time = 0;    // video: seconds from the clip's first frame
};

struct FrameList {
  std::string source;  // name of the capture, without its folder
  bool video = true;
  std::vector<ListedFrame> frames;

  // Of the clip; video only.
  int64_t clip_frames = 0;
  double clip_duration = 0;  // seconds
  double frames_per_second = 0;
  std::string codec;
  std::string hdr;  // "", "HLG" or "PQ"
};

// Throws UserError when the file is missing or damaged.
FrameList ReadFrameList(const std::filesystem::path& path);
void WriteFrameList(const FrameList& list, const std::filesystem::path& path);

// "00001.jpg" for number 1: at least five digits, more when `count` needs
// them.
std::string FrameName(int64_t number, int64_t count, const std::string& suffix);

}  // namespace nerfpipe
