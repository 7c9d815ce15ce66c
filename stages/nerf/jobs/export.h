#pragma once

// Writes trained gaussians into files that viewers and editors read: what the
// stage `export` and the command `nerfpipe export` have in common.

#include "pipeline/engine/stage.h"
#include "stages/nerf/splat/splat_method.h"
#include "stages/nerf/splat_files/splat_cloud.h"
#include "stages/nerf/stage/trainer_library.h"

namespace nerfpipe {

// The gaussians as a renderer without our smoothing needs them, in the
// coordinates of the data set.
splats::SplatCloud CloudOf(const nerf::splat::SplatMethod& method);

// Facts: {"export": {"gaussians", "degree"}}. Throws UserError when nothing of
// method `splat` is trained, and when a file cannot be written.
StageResult Export(const ExportJob& job);

}  // namespace nerfpipe
