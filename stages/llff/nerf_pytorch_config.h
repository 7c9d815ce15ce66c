#pragma once

// config_nerf_pytorch.txt: the flags that nerf-pytorch needs for a scene.

#include "stages/common/colmap_model.h"

#include <string>

namespace nerfpipe {

// Do the cameras look the same way (within 30 degrees of their mean direction,
// for at least nine in ten)? Only then do normalised device coordinates fit.
bool IsForwardFacing(const ColmapModel& model);

// The text of a --config file. `scene` names the experiment and the folder
// under data/nerf_llff_data.
std::string NerfPytorchConfig(const std::string& scene, bool forward_facing);

}  // namespace nerfpipe
