#pragma once

#include <ATen/Parallel.h>
#include <omp.h>

namespace nerfpipe::nerf {

// While it lives, LibTorch and the kernels work on the calling thread alone:
// for those who have a thread for each piece of work already.
class OneThread {
 public:
  // at::set_num_threads() would hold for all threads that are still to come.
  OneThread() : before_(at::get_num_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

}  // namespace nerfpipe::nerf
