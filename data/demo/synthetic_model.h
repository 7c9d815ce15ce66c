#pragma once

// A sparse model without errors: points on the surfaces of a demo scene and
// where the cameras see them.

#include "data/demo/demo_scene.h"
#include "stages/common/camera.h"
#include "stages/common/colmap_model.h"

#include <span>
#include <string>
#include <vector>

namespace nerfpipe::demo {

// The same numbers in the types of stages/common.
Rigid3 PoseOf(const DemoCamera& camera);  // world_from_camera, COLMAP axes
Pinhole PinholeOf(const DemoCamera& camera);

// One PINHOLE camera (number 1), one image per view (numbers from 1 in the
// order given, with these names) and about `points` points. Points are where
// rays through random places of the views hit; each is observed, at its exact
// projection, by every view whose picture it falls in and from which nothing
// hides it. Points seen by fewer than two views are left out. Colours are
// those of the scene. The cameras must share size and lens.
ColmapModel MakeSyntheticModel(const DemoScene& scene,
                               std::span<const DemoCamera> cameras,
                               const std::vector<std::string>& names,
                               int points,
                               uint64_t seed = 1);

}  // namespace nerfpipe::demo
