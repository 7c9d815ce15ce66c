#pragma once

// The header of a PLY file. Internal to this folder.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerfpipe::splats {

enum class PlyType {
  kInt8,
  kUint8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kFloat32,
  kFloat64,
};

struct PlyProperty {
  std::string name;
  PlyType type = PlyType::kFloat32;
  size_t offset = 0;  // in a row
};

struct PlyElement {
  std::string name;
  uint64_t count = 0;  // of rows, as announced
  std::vector<PlyProperty> properties;
  size_t row_size = 0;     // in bytes
  bool has_lists = false;  // so that rows differ in size

  const PlyProperty* Find(std::string_view property) const;
};

struct PlyHeader {
  std::vector<PlyElement> elements;
  // What a comment says about the opacities (SplatCloud::antialiased).
  std::optional<bool> antialiased;
  size_t size = 0;  // in bytes; the rows begin behind it
};

// Throws UserError naming the file `name` for anything that is not the header
// of a PLY file in binary_little_endian.
PlyHeader ReadPlyHeader(std::string_view bytes, const std::string& name);

}  // namespace nerfpipe::splats
