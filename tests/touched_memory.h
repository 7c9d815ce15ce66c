#pragma once

// Memory that is really held, and really given back: the allocator may keep
// what is freed.

#include <cstddef>
#include <cstring>
#include <new>

#include <sys/mman.h>

namespace nerfpipe {

class TouchedMemory {
 public:
  explicit TouchedMemory(size_t bytes)
      : bytes_(bytes),
        start_(mmap(nullptr,
                    bytes,
                    PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS,
                    -1,
                    0)) {
    if (start_ == MAP_FAILED) {
      throw std::bad_alloc();
    }
    std::memset(start_, 1, bytes_);
  }
  ~TouchedMemory() { munmap(start_, bytes_); }
  TouchedMemory(const TouchedMemory&) = delete;
  TouchedMemory& operator=(const TouchedMemory&) = delete;

 private:
  size_t bytes_;
  void* start_;
};

}  // namespace nerfpipe
