#pragma once

// Frames are written before it is known which of them will stand; here they get
// their names.

#include "stages/capture/frame_list.h"

#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe {

struct WrittenFrame {
  ListedFrame listed;   // but for its name
  std::string file;     // in frames/ as it was written
  bool masked = false;  // frame_masks/ has one of this stem
};

// "00001.jpg", or "00001-2.jpg" for another view than the first (0).
std::string WrittenName(int64_t number,
                        int64_t count,
                        int view,
                        const std::string& suffix);

// Renames them and their masks in `out`, without gaps, in this order.
std::vector<ListedFrame> NameInOrder(const std::vector<WrittenFrame>& frames,
                                     const std::filesystem::path& out);

// Where the mask of a frame lies.
std::filesystem::path MaskFileOf(const std::filesystem::path& out,
                                 const std::string& frame);

}  // namespace nerfpipe
