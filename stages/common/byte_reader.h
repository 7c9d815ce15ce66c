#pragma once

// Reads little-endian values off a block of bytes and never past its end.
// Standard library only.

#include <bit>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace nerfpipe {

static_assert(std::endian::native == std::endian::little,
              "files are read by copying little-endian values");

class ByteReader {
 public:
  // `fail` is called with what is wrong and must throw.
  ByteReader(std::string_view bytes,
             std::function<void(const std::string&)> fail)
      : bytes_(bytes), fail_(std::move(fail)) {}

  size_t Left() const { return bytes_.size() - position_; }

  template <typename T>
  T Read(const char* what) {
    static_assert(std::is_arithmetic_v<T>);
    if (Left() < sizeof(T)) FailAtEnd(what);
    T value;
    std::memcpy(&value, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return value;
  }

  // A 64-bit count of records of at least `record_size` bytes each, which must
  // still fit into the rest.
  uint64_t ReadCount(size_t record_size, const char* what) {
    const uint64_t count = Read<uint64_t>(what);
    if (count > Left() / record_size) {
      fail_("announces " + std::to_string(count) + " " + what +
            ", more than the rest of the file can hold");
    }
    return count;
  }

  // Up to the next zero byte, which is skipped.
  std::string ReadText(const char* what) {
    const size_t end = bytes_.find('\0', position_);
    if (end == std::string_view::npos) FailAtEnd(what);
    std::string text(bytes_.substr(position_, end - position_));
    position_ = end + 1;
    return text;
  }

 private:
  void FailAtEnd(const char* what) {
    fail_(std::string("ends in the middle of ") + what + ", at byte " +
          std::to_string(bytes_.size()));
  }

  std::string_view bytes_;
  size_t position_ = 0;
  std::function<void(const std::string&)> fail_;
};

}  // namespace nerfpipe
