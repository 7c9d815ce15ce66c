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
  std::string original;  // photos: path in the capture folder
  // Focal length in parts of the diagonal, of EXIF or of a view that was cut
  // out of a panorama; 0: not known.
  double focal = 0;
  // Of several clips, or directions of one, that which the frame is from; in a
  // folder of one video its name, else empty.
  std::string clip;
  int64_t index = 0;  // video: number in the clip, from 0
  double time = 0;    // video: seconds from the clip's first frame
};

struct FrameList {
  std::string source;  // name of the capture, without its folder
  bool video = true;   // or several
  std::vector<ListedFrame> frames;

  // Of the clip, or of several together; video only.
  int64_t clip_frames = 0;
  double clip_duration = 0;  // seconds
  // Of the first clip.
  double frames_per_second = 0;
  std::string codec;
  std::string hdr;  // "", "HLG" or "PQ"

  // "video" (one walk in time), "clips" (several) or "photos".
  std::string Kind() const;
};

// Throws UserError when the file is missing or damaged.
FrameList ReadFrameList(const std::filesystem::path& path);
void WriteFrameList(const FrameList& list, const std::filesystem::path& path);

// "00001.jpg" for number 1: at least five digits, more when `count` needs
// them.
std::string FrameName(int64_t number, int64_t count, const std::string& suffix);

}  // namespace nerfpipe
