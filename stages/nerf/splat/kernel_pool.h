#pragma once

// Kernels, with the memory that they work in, for several threads that each
// make a picture of their own.

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

  // Kernels that work on the calling thread alone.
  Loan Take() {
    std::unique_ptr<SplatKernels> kernels;
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        kernels = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (kernels == nullptr) kernels = std::make_unique<SplatKernels>(1);
    return {kernels.release(), [this](SplatKernels* lent) {
              const std::lock_guard lock(mutex_);
              idle_.emplace_back(lent);
            }};
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<SplatKernels>> idle_;
};

}  // namespace nerfpipe::nerf::splat
