#pragma once

// Numbers in the first bytes of a file, which may be cut or damaged.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nerfpipe {

// Reads numbers from bytes that may end too early: what lies outside is 0.
class HeaderBytes {
 public:
  explicit HeaderBytes(std::string_view data, bool little_endian = false)
      : data_(data), little_endian_(little_endian) {}

  bool Has(size_t offset, size_t count) const {
    return offset <= data_.size() && count <= data_.size() - offset;
  }
  uint32_t U8(size_t offset) const {
    return Has(offset, 1) ? static_cast<uint8_t>(data_[offset]) : 0;
  }
  uint32_t U16(size_t offset) const {
    const uint32_t a = U8(offset);
    const uint32_t b = U8(offset + 1);
    return little_endian_ ? a | b << 8 : a << 8 | b;
  }
  uint32_t U32(size_t offset) const {
    const uint32_t a = U16(offset);
    const uint32_t b = U16(offset + 2);
    return little_endian_ ? a | b << 16 : a << 16 | b;
  }
  std::string_view Text(size_t offset, size_t count) const {
    return Has(offset, count) ? data_.substr(offset, count)
                              : std::string_view();
  }
  // From `offset` on, at most `count` bytes.
  std::string_view From(size_t offset, size_t count) const {
    return offset < data_.size() ? data_.substr(offset, count)
                                 : std::string_view();
  }

 private:
  std::string_view data_;
  bool little_endian_;
};

}  // namespace nerfpipe
