#include "pipeline/engine/stage.h"

#include "pipeline/base/memory.h"

namespace nerfpipe {

int StageContext::ThreadsFor(double bytes_each) const {
  constexpr double kProgram = 250e6;  // the libraries, and what is small
  return memory > 0 ? ThreadsWithin(memory, kProgram, bytes_each, threads)
                    : threads;
}

}  // namespace nerfpipe
