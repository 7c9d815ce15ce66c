#pragma once

// nerfpipe-trainer.so: the part of the program that needs LibTorch. It lies
// beside the program, or in ../lib/nerfpipe of an installed one.

#include "stages/nerf/stage/trainer_library.h"

namespace nerfpipe {

// Loads it at the first call. Throws UserError when it is not there or cannot
// be loaded.
const TrainerLibrary& LoadTrainerLibrary();

// Throws UserError when it is not there; loads nothing.
void CheckTrainerIsThere();

}  // namespace nerfpipe
