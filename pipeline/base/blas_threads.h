#pragma once

// Header-only, so that stages/nerf builds without the rest.

#include <dlfcn.h>

namespace nerfpipe {

// Leaves the threads to who calls OpenBLAS, for the rest of the process: its
// own fight with the caller's for the cores, and change the order of sums.
// Does nothing where another BLAS is loaded.
inline void UseOneBlasThread() {
  using SetThreads = void (*)(int);
  if (void* symbol = dlsym(RTLD_DEFAULT, "openblas_set_num_threads")) {
    reinterpret_cast<SetThreads>(symbol)(1);
  }
}

}  // namespace nerfpipe
