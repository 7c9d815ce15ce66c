// The one name that the program looks up in nerfpipe-trainer.so.

#include "stages/nerf/jobs/linked_trainer.h"

extern "C" const nerfpipe::TrainerLibrary* nerfpipe_trainer_library() {
  return &nerfpipe::LinkedTrainerLibrary();
}
