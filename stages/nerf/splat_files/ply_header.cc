#include "stages/nerf/splat_files/ply_header.h"

#include "pipeline/base/error.h"
#include "stages/nerf/splat_files/file_bytes.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace nerfpipe::splats {
namespace {

// Of splats with harmonics of degree 3 it is 1.5 KB long.
constexpr size_t kMostHeader = size_t{1} << 16;

struct NamedType {
  std::string_view name;
  PlyType type;
  size_t size;
};
constexpr NamedType kTypes[] = {
    {"char", PlyType::kInt8, 1},
    {"int8", PlyType::kInt8, 1},
    {"uchar", PlyType::kUint8, 1},
    {"uint8", PlyType::kUint8, 1},
    {"short", PlyType::kInt16, 2},
    {"int16", PlyType::kInt16, 2},
    {"ushort", PlyType::kUint16, 2},
    {"uint16", PlyType::kUint16, 2},
    {"int", PlyType::kInt32, 4},
    {"int32", PlyType::kInt32, 4},
    {"uint", PlyType::kUint32, 4},
    {"uint32", PlyType::kUint32, 4},
    {"float", PlyType::kFloat32, 4},
    {"float32", PlyType::kFloat32, 4},
    {"double", PlyType::kFloat64, 8},
    {"float64", PlyType::kFloat64, 8},
};

std::vector<std::string_view> Words(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  std::vector<std::string_view> words;
  for (;;) {
    const size_t begin = line.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return words;
    const size_t end =
        std::min(line.find_first_of(kBlanks, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
}

// As Brush writes it ("SplatRenderMode: mip"), or Postshot ("antialiased 1").
void ReadComment(const std::vector<std::string_view>& words,
                 PlyHeader* header) {
  if (words.size() != 3) return;
  if (words[1] == "SplatRenderMode:") header->antialiased = words[2] == "mip";
  if (words[1] == "antialiased") header->antialiased = words[2] == "1";
}

void CheckFormat(const std::vector<std::string_view>& words,
                 const std::string& name) {
  const std::string format(words.size() > 1 ? words[1] : "");
  if (format != "binary_little_endian") {
    throw UserError(name + ": is a PLY file of format '" +
                        format.substr(0, 30) +
                        "', and splats are read from binary_little_endian",
                    "save it again in that format");
  }
}

PlyElement ParseElement(const std::vector<std::string_view>& words,
                        const std::string& name) {
  PlyElement element;
  const std::string_view count = words.size() == 3 ? words[2] : "";
  const auto [end, error] =
      std::from_chars(count.data(), count.data() + count.size(), element.count);
  if (count.empty() || error != std::errc() ||
      end != count.data() + count.size()) {
    FailRead(name, "has an element in its header without a name and a number");
  }
  element.name = words[1];
  return element;
}

void AddProperty(const std::vector<std::string_view>& words,
                 const std::string& name,
                 PlyElement* element) {
  if (words.size() == 5 && words[1] == "list") {
    element->has_lists = true;
    return;
  }
  const auto* const type =
      std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& t) {
        return words.size() == 3 && t.name == words[1];
      });
  if (type == std::end(kTypes)) {
    FailRead(name,
             "has a property in its header without a known type and a name");
  }
  if (element->Find(words[2]) != nullptr) {
    FailRead(name,
             "has two properties called '" +
                 std::string(words[2].substr(0, 30)) + "'");
  }
  element->properties.push_back(
      {std::string(words[2]), type->type, element->row_size});
  element->row_size += type->size;
}

}  // namespace

const PlyProperty* PlyElement::Find(std::string_view property) const {
  const auto found = std::find_if(
      properties.begin(), properties.end(), [&](const PlyProperty& p) {
        return p.name == property;
      });
  return found == properties.end() ? nullptr : &*found;
}

PlyHeader ReadPlyHeader(std::string_view bytes, const std::string& name) {
  PlyHeader header;
  const std::string_view text = bytes.substr(0, kMostHeader);
  bool format = false;
  for (;;) {
    const size_t end = text.find('\n', header.size);
    const std::vector<std::string_view> words =
        Words(text.substr(header.size, end - header.size));
    const std::string_view keyword = words.empty() ? "" : words[0];
    if (header.size == 0 && (keyword != "ply" || words.size() != 1)) {
      FailRead(name, "is not a PLY file");
    }
    if (end == std::string_view::npos) {
      FailRead(name, "has a PLY header without an end");
    }
    const bool first = header.size == 0;
    header.size = end + 1;
    if (first || keyword == "obj_info") continue;
    if (keyword == "end_header") break;
    if (keyword == "comment") {
      ReadComment(words, &header);
    } else if (keyword == "format") {
      CheckFormat(words, name);
      format = true;
    } else if (keyword == "element") {
      header.elements.push_back(ParseElement(words, name));
    } else if (keyword == "property" && !header.elements.empty()) {
      AddProperty(words, name, &header.elements.back());
    } else if (!words.empty()) {
      FailRead(
          name,
          "has '" + std::string(keyword.substr(0, 30)) + "' in its PLY header");
    }
  }
  if (!format) FailRead(name, "does not say its PLY format");
  return header;
}

}  // namespace nerfpipe::splats
