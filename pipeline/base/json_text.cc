#include "pipeline/base/json_text.h"

#include <cstddef>
#include <cstdint>

namespace nerfpipe {
namespace {

constexpr uint32_t kEscapes = 0xEF00;  // plus the byte, which is 0x80 or more

uint8_t Byte(std::string_view text, size_t i) {
  return static_cast<uint8_t>(text[i]);
}

// The character that begins at `i`, and its length in bytes; 0 where the bytes
// are no UTF-8.
size_t Decode(std::string_view text, size_t i, uint32_t* character) {
  const uint8_t first = Byte(text, i);
  const size_t length = first < 0x80             ? 1
                        : (first & 0xE0) == 0xC0 ? 2
                        : (first & 0xF0) == 0xE0 ? 3
                        : (first & 0xF8) == 0xF0 ? 4
                                                 : 0;
  if (length == 0 || i + length > text.size()) return 0;
  uint32_t value = length == 1 ? first : first & (0x7Fu >> length);
  for (size_t k = 1; k < length; ++k) {
    const uint8_t next = Byte(text, i + k);
    if ((next & 0xC0) != 0x80) return 0;
    value = value << 6 | (next & 0x3Fu);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value < 0xE000;
  if (value < kLeast[length] || value > 0x10FFFF || surrogate) return 0;
  *character = value;
  return length;
}

bool IsEscape(uint32_t character) {
  return character >= kEscapes + 0x80 && character <= kEscapes + 0xFF;
}

}  // namespace

std::string ToJsonText(std::string_view bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size();) {
    uint32_t character = 0;
    const size_t length = Decode(bytes, i, &character);
    if (length > 0 && !IsEscape(character)) {
      text += bytes.substr(i, length);
      i += length;
      continue;
    }
    // Three bytes of UTF-8, as all characters from U+0800 to U+FFFF.
    const uint32_t escape = kEscapes + Byte(bytes, i++);
    text += static_cast<char>(0xE0 | escape >> 12);
    text += static_cast<char>(0x80 | (escape >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (escape & 0x3F));
  }
  return text;
}

std::string FromJsonText(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size();) {
    uint32_t character = 0;
    const size_t length = Decode(text, i, &character);
    if (length > 0 && IsEscape(character)) {
      bytes += static_cast<char>(character - kEscapes);
    } else {
      bytes += text.substr(i, length > 0 ? length : 1);
    }
    i += length > 0 ? length : 1;
  }
  return bytes;
}

}  // namespace nerfpipe
