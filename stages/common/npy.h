#pragma once

// Arrays in NumPy's .npy format: little-endian float64 or float32, C order.
// Source: NumPy, doc/source/reference/generated/numpy.lib.format (NEP 1).

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace nerfpipe {

enum class NpyType { kFloat64, kFloat32 };

// values.size() is the product of `shape` (1 for an empty shape); the last
// index runs fastest. Elements of float32 files are widened.
struct NpyArray {
  std::vector<int64_t> shape;
  std::vector<double> values;
};

// Throw UserError naming the file for anything that is not such an array, or
// whose size does not match its header to the byte. `file` stands in messages.
NpyArray ReadNpy(const std::filesystem::path& path);
NpyArray ParseNpy(std::string_view bytes, const std::string& file);

// Format version 1.0, byte for byte what numpy.save writes.
void WriteNpy(const NpyArray& array,
              const std::filesystem::path& path,
              NpyType type = NpyType::kFloat64);
std::string NpyBytes(const NpyArray& array, NpyType type = NpyType::kFloat64);

}  // namespace nerfpipe
