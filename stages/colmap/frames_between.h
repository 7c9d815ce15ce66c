#pragma once

// Frames of the clip beside those that were taken, where a walk breaks.

#include "pipeline/base/report.h"
#include "stages/common/colmap_model.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe::sfm {

struct FrameBetween {
  std::string name;   // "00018_2.jpg": the second after 00018.jpg
  int64_t index = 0;  // in the clip, from 0
  int after = 0;      // place in `names` of the frame before it
};

// Up to seven frames, equally far apart, for every two neighbours in `names`
// that no model holds both of; fewer where the breaks are many, none when they
// are more than 100. `indices` in the clip of `names`, ascending. In order.
std::vector<FrameBetween> ChooseFramesBetween(
    const std::vector<std::string>& names,
    const std::vector<int64_t>& indices,
    const std::vector<ColmapModel>& models);

// Decodes them into `folder`, which exists, as JPEGs; those that were, in
// order: damaged frames are left out, and of a clip that is no longer the same
// those that it lacks or has in another size; all, when it cannot be read.
// Throws UserError when the disk refuses, and Interrupted.
std::vector<FrameBetween> DecodeFramesBetween(
    const std::filesystem::path& clip,
    const std::vector<FrameBetween>& wanted,
    int width,
    int height,
    const std::filesystem::path& folder,
    int threads,
    Report* report);

}  // namespace nerfpipe::sfm
