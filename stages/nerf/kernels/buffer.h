#pragma once

// Growing memory for samples: aligned, never cleared, with room behind the end
// so that whole vectors may be read and written there.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace nerfpipe::nerf::kernels {

template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() = default;
  ~Buffer() { Free(); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Buffer(Buffer&& other) noexcept { Swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Swap(other);
    return *this;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }

  // Makes room for `count` elements; keeps what is there.
  void Reserve(size_t count) {
    if (count <= capacity_) return;
    const size_t grown = std::max(count, capacity_ + capacity_ / 2);
    const size_t bytes = (grown + kSlack) * sizeof(T);
    T* fresh = static_cast<T*>(::operator new(bytes, kAlignment));
    std::memset(static_cast<void*>(fresh), 0, bytes);
    if (data_ != nullptr) {
      std::memcpy(static_cast<void*>(fresh), data_, capacity_ * sizeof(T));
    }
    Free();
    data_ = fresh;
    capacity_ = grown;
  }

 private:
  static constexpr std::align_val_t kAlignment{64};
  static constexpr size_t kSlack = 32;

  void Free() {
    if (data_ != nullptr) ::operator delete(data_, kAlignment);
    data_ = nullptr;
  }
  void Swap(Buffer& other) {
    std::swap(data_, other.data_);
    std::swap(capacity_, other.capacity_);
  }

  T* data_ = nullptr;
  size_t capacity_ = 0;
};

}  // namespace nerfpipe::nerf::kernels
