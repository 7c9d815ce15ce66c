#pragma once

// capture.json: what is known of every frame of a capture, and which frames
// later stages use.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe {

// A mask "00001.png" for each frame that has one: gray, 255 where the frame is
// used, else 0; of its size.
inline constexpr char kFrameMaskFolder[] = "frame_masks";

struct CaptureFrame {
  std::string name;      // file in frames/, "00001.jpg"
  std::string original;  // photos: path in the capture folder; else empty
  // Focal length in parts of the diagonal, where EXIF or the kind of the
  // picture tells it; 0: not known.
  double focal = 0;
  // Which of several clips, or of several directions that the camera looks in
  // at once: frames next to each other are neighbours in time where it is the
  // same. Empty for photos, and for a video that is the capture itself.
  std::string clip;
  int64_t index = 0;  // video: number of the frame in the clip, from 0
  double time = 0;    // video: seconds from the clip's first frame
  int width = 0;
  int height = 0;
  double sharpness = 0;  // variance of the Laplacian at the working size
  // The same, divided by the median of the neighbours'.
  double relative_sharpness = 1;
  double exposure = 0;        // mean luma, 0 to 1
  double exposure_drift = 0;  // stops from the capture's median
  // Mean image motion from the frame before, as a share of the width.
  double motion = 0;
  bool kept = true;
  std::string reason;  // why not, in words; empty when kept
};

struct CaptureFile {
  std::string kind;  // "video", "clips" (several videos) or "photos"
  // In the order of the capture, which is also the order of the names.
  std::vector<CaptureFrame> frames;

  std::vector<std::string> KeptNames() const;
};

// Throws UserError when the file is missing, damaged or of a newer version.
CaptureFile ReadCaptureFile(const std::filesystem::path& path);

// Throws UserError when the disk refuses.
void WriteCaptureFile(const CaptureFile& capture,
                      const std::filesystem::path& path);

}  // namespace nerfpipe
