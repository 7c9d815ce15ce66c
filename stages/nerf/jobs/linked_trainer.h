#pragma once

// The trainer of a program that has LibTorch linked in.

#include "stages/nerf/stage/trainer_library.h"

namespace nerfpipe {

const TrainerLibrary& LinkedTrainerLibrary();

}  // namespace nerfpipe
