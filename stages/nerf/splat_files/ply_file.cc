#include "stages/nerf/splat_files/ply_file.h"

#include "pipeline/base/error.h"
#include "stages/nerf/splat_files/file_bytes.h"
#include "stages/nerf/splat_files/ply_header.h"

#include <array>
#include <vector>

namespace nerfpipe::splats {
namespace {

float ValueAt(const char* row, const PlyProperty& property) {
  const char* const at = row + property.offset;
  switch (property.type) {
    case PlyType::kInt8:
      return Load<int8_t>(at);
    case PlyType::kUint8:
      return Load<uint8_t>(at);
    case PlyType::kInt16:
      return Load<int16_t>(at);
    case PlyType::kUint16:
      return Load<uint16_t>(at);
    case PlyType::kInt32:
      return static_cast<float>(Load<int32_t>(at));
    case PlyType::kUint32:
      return static_cast<float>(Load<uint32_t>(at));
    case PlyType::kFloat32:
      return Load<float>(at);
    case PlyType::kFloat64:
      return static_cast<float>(Load<double>(at));
  }
  FailCheck("a known type", __FILE__, __LINE__);
}

// Where the values of a gaussian stand in a row.
struct Columns {
  std::array<PlyProperty, 3> mean, log_scale, colour;
  std::array<PlyProperty, 4> rotation;
  PlyProperty logit;
  std::vector<PlyProperty> harmonics;  // all of red, then green, then blue
};

PlyProperty Need(const PlyElement& vertex,
                 const std::string& property,
                 const std::string& name) {
  const PlyProperty* const found = vertex.Find(property);
  if (found == nullptr) {
    throw UserError(name +
                        ": holds no gaussian splats: its vertices have no '" +
                        property + "'",
                    "give a file that a trainer of gaussian splats wrote");
  }
  return *found;
}

template <size_t kCount>
std::array<PlyProperty, kCount> NeedAll(const PlyElement& vertex,
                                        const std::string& prefix,
                                        const std::string& name) {
  std::array<PlyProperty, kCount> found;
  for (size_t k = 0; k < kCount; ++k) {
    found[k] = Need(vertex, prefix + std::to_string(k), name);
  }
  return found;
}

std::vector<PlyProperty> FindHarmonics(const PlyElement& vertex) {
  std::vector<PlyProperty> harmonics;
  for (;;) {
    const PlyProperty* const found =
        vertex.Find("f_rest_" + std::to_string(harmonics.size()));
    if (found == nullptr) return harmonics;
    harmonics.push_back(*found);
  }
}

Columns FindColumns(const PlyElement& vertex, const std::string& name) {
  Columns columns;
  columns.mean = {Need(vertex, "x", name),
                  Need(vertex, "y", name),
                  Need(vertex, "z", name)};
  columns.logit = Need(vertex, "opacity", name);
  columns.log_scale = NeedAll<3>(vertex, "scale_", name);
  columns.rotation = NeedAll<4>(vertex, "rot_", name);
  columns.colour = NeedAll<3>(vertex, "f_dc_", name);
  columns.harmonics = FindHarmonics(vertex);
  return columns;
}

int DegreeOf(size_t values, const std::string& name) {
  for (int degree = 0; degree <= kMostDegree; ++degree) {
    if (values == 3 * HarmonicsOf(degree)) return degree;
  }
  throw UserError(name + ": has " + std::to_string(values) +
                      " values f_rest_* of a gaussian, and degrees 0 to 3 of "
                      "the harmonics have 0, 9, 24 or 45",
                  "export the splats with harmonics of degree 3 at most");
}

// The rows of `element`, which stand at the begin of `data`.
std::string_view RowsOf(const PlyElement& element,
                        std::string_view data,
                        const std::string& name) {
  if (element.has_lists) {
    FailRead(name,
             "has lists in its PLY element '" + element.name.substr(0, 30) +
                 "', which splats do not have");
  }
  if (element.row_size == 0) return {};
  if (element.count > data.size() / element.row_size) {
    FailRead(name,
             "announces " + std::to_string(element.count) + " rows of '" +
                 element.name.substr(0, 30) + "' but ends after " +
                 std::to_string(data.size() / element.row_size));
  }
  return data.substr(0, element.count * element.row_size);
}

template <size_t kCount>
void ReadValues(const char* row,
                const std::array<PlyProperty, kCount>& properties,
                std::array<float, kCount>* values) {
  for (size_t k = 0; k < kCount; ++k) {
    (*values)[k] = ValueAt(row, properties[k]);
  }
}

void AddRow(const char* row, const Columns& columns, SplatCloud* cloud) {
  Splat splat;
  ReadValues(row, columns.mean, &splat.mean);
  ReadValues(row, columns.log_scale, &splat.log_scale);
  ReadValues(row, columns.rotation, &splat.rotation);
  ReadValues(row, columns.colour, &splat.colour);
  splat.logit = ValueAt(row, columns.logit);
  const size_t coefficients = HarmonicsOf(cloud->degree);
  for (size_t channel = 0; channel < 3; ++channel) {
    for (size_t j = 0; j < coefficients; ++j) {
      splat.harmonics[3 * j + channel] =
          ValueAt(row, columns.harmonics[channel * coefficients + j]);
    }
  }
  AddSplat(splat, cloud);
}

void AppendValues(const std::vector<float>& values,
                  size_t each,
                  size_t gaussian,
                  std::string* bytes) {
  for (size_t k = 0; k < each; ++k) {
    Append(values[each * gaussian + k], bytes);
  }
}

}  // namespace

SplatCloud ReadPly(std::string_view bytes, const std::string& name) {
  const PlyHeader header = ReadPlyHeader(bytes, name);
  std::string_view data = bytes.substr(header.size);
  for (const PlyElement& element : header.elements) {
    if (element.name == "chunk" && element.Find("min_x") != nullptr) {
      throw UserError(
          name + ": is a compressed PLY of SuperSplat",
          "convert it first: splat-transform " + name + " plain.ply");
    }
    const std::string_view rows = RowsOf(element, data, name);
    if (element.name != "vertex") {
      data.remove_prefix(rows.size());
      continue;
    }
    const Columns columns = FindColumns(element, name);
    SplatCloud cloud =
        MakeCloud(DegreeOf(columns.harmonics.size(), name), element.count);
    cloud.antialiased = header.antialiased.value_or(false);
    for (size_t at = 0; at < rows.size(); at += element.row_size) {
      AddRow(rows.data() + at, columns, &cloud);
    }
    CheckRead(cloud, name);
    return cloud;
  }
  FailRead(name, "is a PLY file without vertices");
}

std::string PlyBytes(const SplatCloud& cloud) {
  CheckWritable(cloud);
  const size_t count = cloud.count();
  const size_t coefficients = HarmonicsOf(cloud.degree);
  std::string bytes =
      "ply\nformat binary_little_endian 1.0\n"
      "element vertex " +
      std::to_string(count) + "\n";
  const auto declare = [&bytes](const std::string& property) {
    bytes += "property float " + property + "\n";
  };
  const auto declare_all = [&](const std::string& prefix, size_t number) {
    for (size_t k = 0; k < number; ++k) declare(prefix + std::to_string(k));
  };
  for (const char* property : {"x", "y", "z", "nx", "ny", "nz"}) {
    declare(property);
  }
  declare_all("f_dc_", 3);
  declare_all("f_rest_", 3 * coefficients);
  declare("opacity");
  declare_all("scale_", 3);
  declare_all("rot_", 4);
  // The authors' own viewer counts on the number of vertices in line 3.
  bytes += std::string("comment SplatRenderMode: ") +
           (cloud.antialiased ? "mip" : "default") + "\nend_header\n";

  bytes.reserve(bytes.size() + count * (17 + 3 * coefficients) * sizeof(float));
  for (size_t i = 0; i < count; ++i) {
    AppendValues(cloud.means, 3, i, &bytes);
    for (int axis = 0; axis < 3; ++axis) Append(0.0f, &bytes);
    AppendValues(cloud.colours, 3, i, &bytes);
    for (size_t channel = 0; channel < 3; ++channel) {
      for (size_t j = 0; j < coefficients; ++j) {
        Append(cloud.harmonics[3 * (coefficients * i + j) + channel], &bytes);
      }
    }
    Append(cloud.logits[i], &bytes);
    AppendValues(cloud.log_scales, 3, i, &bytes);
    AppendValues(cloud.rotations, 4, i, &bytes);
  }
  return bytes;
}

}  // namespace nerfpipe::splats
