#pragma once

// Plain values to bytes and back, for intermediate files of this stage. They
// never leave the machine that wrote them, so the byte order is its own.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace nerfpipe::sfm {

class ByteWriter {
 public:
  template <typename T>
  void Put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  template <typename T>
  void PutVector(const std::vector<T>& values) {
    static_assert(std::is_trivially_copyable_v<T>);
    Put(static_cast<uint64_t>(values.size()));
    bytes_.append(reinterpret_cast<const char*>(values.data()),
                  values.size() * sizeof(T));
  }
  std::string Finish() && { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Every call returns false when the bytes end too early.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  bool Get(T* value) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (bytes_.size() < sizeof(T)) {
      return false;
    }
    std::memcpy(static_cast<void*>(value), bytes_.data(), sizeof(T));
    bytes_.remove_prefix(sizeof(T));
    return true;
  }
  template <typename T>
  bool GetVector(std::vector<T>* values) {
    uint64_t count = 0;
    if (!Get(&count) || count > bytes_.size() / sizeof(T)) {
      return false;
    }
    values->resize(count);
    if (count > 0) {
      std::memcpy(
          static_cast<void*>(values->data()), bytes_.data(), count * sizeof(T));
    }
    bytes_.remove_prefix(count * sizeof(T));
    return true;
  }
  bool AtEnd() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
};

}  // namespace nerfpipe::sfm
