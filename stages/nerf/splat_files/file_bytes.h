#pragma once

// Numbers among the bytes of files, and what is wrong with a file. Internal to
// this folder.

#include "pipeline/base/error.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

namespace nerfpipe::splats {

static_assert(std::endian::native == std::endian::little,
              "files are read and written by copying little-endian values");

template <typename T>
T Load(const char* from) {
  static_assert(std::is_arithmetic_v<T>);
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <typename T>
void Append(T value, std::string* bytes) {
  static_assert(std::is_arithmetic_v<T>);
  bytes->append(reinterpret_cast<const char*>(&value), sizeof(T));
}

// The nearest of 0 to 255.
inline uint8_t ByteOf(double value) {
  return static_cast<uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
}

[[noreturn]] inline void FailRead(const std::string& name,
                                  const std::string& what) {
  throw UserError(name + ": " + what,
                  "write the file again with the program that made it");
}

}  // namespace nerfpipe::splats
