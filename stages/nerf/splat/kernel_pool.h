#pragma once

// Kernels, with the memory that they work in, for several threads that each
// make a picture.

#include "stages/nerf/splat/kernels/splat_kernels.h"

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace nerfpipe::nerf::splat {

class KernelPool {
 public:
  // Gives back what was lent, which must not outlive the pool.
  using Loan =
      std::unique_ptr<SplatKernels, std::function<void(SplatKernels*)>>;

  // Each of `threads` threads.
  explicit KernelPool(int threads) : threads_(threads) {}

  Loan Take() {
    std::unique_ptr<SplatKernels> kernels;
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        kernels = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (kernels == nullptr) kernels = std::make_unique<SplatKernels>(threads_);
    return {kernels.release(), [this](SplatKernels* lent) {
              const std::lock_guard lock(mutex_);
              idle_.emplace_back(lent);
            }};
  }

 private:
  int threads_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<SplatKernels>> idle_;
};

}  // namespace nerfpipe::nerf::splat
