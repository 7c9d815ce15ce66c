#pragma once

// From the solved lenses with their distortion to plain pinhole cameras: sizes
// and focal lengths, what a lens covers of them, and the model.

#include "stages/common/camera.h"
#include "stages/common/colmap_model.h"
#include "stages/common/image.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>

namespace nerfpipe::sfm {

// A pinhole with the principal point exactly in the middle, fx = fy (the mean
// of the distorted ones) and sides that are multiples of 8, as large as it can
// be with every pixel inside the distorted image. Nothing when the distortion
// is so strong that no such image of a quarter of the area exists.
std::optional<Pinhole> PlanPinhole(const ColmapCamera& distorted);

// Through which pinhole the images of each lens are seen.
struct UndistortionPlan {
  // Of every camera that an image has, by its identifier.
  std::map<uint32_t, Pinhole> pinholes;
  // They are all the same: that of the camera `main`.
  bool shared = true;
  uint32_t main = 0;

  // Was the camera's pinhole made for it, so that it covers all of it?
  bool IsOwn(uint32_t camera) const { return !shared || camera == main; }
};

// One pinhole for all images, that of the lens with the most of them (of equal
// ones the lowest number). Where that would lose more than half of a picture of
// some lens, as pixels that it does not cover or as pixels cut away, each lens
// has its own. Nothing as above. `model` has an image.
std::optional<UndistortionPlan> PlanUndistortion(const ColmapModel& model);

// One channel of the size of `pinhole`: 255 where the distorted image has the
// pixel, else 0.
Image CoverageOf(const ColmapCamera& distorted, const Pinhole& pinhole);

// The same model seen by the pinholes of `plan`: PINHOLE cameras under the old
// identifiers (a shared one under the main one's), all observations moved,
// errors computed anew, names with the suffix .jpg, or .png of the images that
// are numbered in `with_alpha`.
ColmapModel UndistortModel(const ColmapModel& model,
                           const UndistortionPlan& plan,
                           const std::set<uint32_t>& with_alpha);

}  // namespace nerfpipe::sfm
