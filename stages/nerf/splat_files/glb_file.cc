#include "stages/nerf/splat_files/glb_file.h"

#include "pipeline/base/error.h"
#include "stages/nerf/splat_files/file_bytes.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <nlohmann/json.hpp>

namespace nerfpipe::splats {
namespace {

using nlohmann::json;

constexpr char kExtension[] = "KHR_gaussian_splatting";
// Numbers of glTF.
constexpr int kFloat = 5126;
constexpr int kUnsignedShort = 5123;
constexpr int kArrayBuffer = 34962;
constexpr int kPoints = 0;
constexpr uint32_t kMagic = 0x46546c67;      // "glTF"
constexpr uint32_t kJsonChunk = 0x4e4f534a;  // "JSON"
constexpr uint32_t kBinaryChunk = 0x004e4942;

// Of the curve that displays decode.
double LinearFromSrgb(double value) {
  return value <= 0.04045 ? value / 12.92
                          : std::pow((value + 0.055) / 1.055, 2.4);
}

uint16_t ShortOf(double value) {
  return static_cast<uint16_t>(
      std::lround(65535 * std::clamp(value, 0.0, 1.0)));
}

// The binary chunk and what the JSON says of it: one view and one accessor for
// each attribute.
class Attributes {
 public:
  explicit Attributes(size_t count) : count_(count) {}

  void BeginAttribute(const std::string& name,
                      const char* type,
                      int component) {
    attributes_[name] = accessors_.size();
    accessors_.push_back({{"bufferView", accessors_.size()},
                          {"componentType", component},
                          {"count", count_},
                          {"type", type}});
    begins_.push_back(bytes_.size());
  }
  void BeginSplatAttribute(const std::string& name, const char* type) {
    BeginAttribute(std::string(kExtension) + ":" + name, type, kFloat);
  }
  template <typename T>
  void Add(T value) {
    Append(value, &bytes_);
  }
  json& accessor() { return accessors_.back(); }

  json ToGltf() const {
    json views = json::array();
    for (size_t k = 0; k < begins_.size(); ++k) {
      const size_t end =
          k + 1 < begins_.size() ? begins_[k + 1] : bytes_.size();
      views.push_back({{"buffer", 0},
                       {"byteOffset", begins_[k]},
                       {"byteLength", end - begins_[k]},
                       {"target", kArrayBuffer}});
    }
    const json splats = {{"kernel", "ellipse"},
                         {"colorSpace", "srgb_rec709_display"},
                         {"projection", "perspective"},
                         {"sortingMethod", "cameraDistance"}};
    const json primitive = {{"attributes", attributes_},
                            {"mode", kPoints},
                            {"extensions", {{kExtension, splats}}}};
    return {
        {"asset", {{"version", "2.0"}, {"generator", "nerfpipe"}}},
        {"extensionsUsed", json::array({kExtension})},
        {"scene", 0},
        {"scenes", json::array({{{"nodes", json::array({0})}}})},
        {"nodes", json::array({{{"mesh", 0}}})},
        {"meshes", json::array({{{"primitives", json::array({primitive})}}})},
        {"accessors", accessors_},
        {"bufferViews", views},
        {"buffers", json::array({{{"byteLength", bytes_.size()}}})}};
  }
  const std::string& bytes() const { return bytes_; }

 private:
  size_t count_;
  std::string bytes_;
  std::vector<size_t> begins_;
  json accessors_ = json::array();
  json attributes_ = json::object();
};

void AddMeans(const SplatCloud& cloud, Attributes* attributes) {
  attributes->BeginAttribute("POSITION", "VEC3", kFloat);
  std::vector<float> least(cloud.means.begin(), cloud.means.begin() + 3);
  std::vector<float> most = least;
  for (size_t k = 0; k < cloud.means.size(); ++k) {
    attributes->Add(cloud.means[k]);
    least[k % 3] = std::min(least[k % 3], cloud.means[k]);
    most[k % 3] = std::max(most[k % 3], cloud.means[k]);
  }
  attributes->accessor()["min"] = least;
  attributes->accessor()["max"] = most;
}

// What is seen without the extension: linear, and with 16 bits, for 8 are few
// in the dark.
void AddPointColours(const SplatCloud& cloud, Attributes* attributes) {
  attributes->BeginAttribute("COLOR_0", "VEC4", kUnsignedShort);
  attributes->accessor()["normalized"] = true;
  for (size_t i = 0; i < cloud.count(); ++i) {
    for (size_t channel = 0; channel < 3; ++channel) {
      const double shown =
          std::clamp(ChannelOf(cloud.colours[3 * i + channel]), 0.0, 1.0);
      attributes->Add(ShortOf(LinearFromSrgb(shown)));
    }
    attributes->Add(ShortOf(OpacityOf(cloud.logits[i])));
  }
}

void AddHarmonics(const SplatCloud& cloud, Attributes* attributes) {
  const size_t each = 3 * HarmonicsOf(cloud.degree);
  for (int degree = 1; degree <= cloud.degree; ++degree) {
    const size_t begin = HarmonicsOf(degree - 1);
    for (size_t j = begin; j < HarmonicsOf(degree); ++j) {
      attributes->BeginSplatAttribute("SH_DEGREE_" + std::to_string(degree) +
                                          "_COEF_" + std::to_string(j - begin),
                                      "VEC3");
      for (size_t i = 0; i < cloud.count(); ++i) {
        for (size_t channel = 0; channel < 3; ++channel) {
          attributes->Add(cloud.harmonics[each * i + 3 * j + channel]);
        }
      }
    }
  }
}

Attributes AttributesOf(const SplatCloud& cloud) {
  Attributes attributes(cloud.count());
  AddMeans(cloud, &attributes);
  AddPointColours(cloud, &attributes);
  attributes.BeginSplatAttribute("ROTATION", "VEC4");
  for (size_t i = 0; i < cloud.count(); ++i) {
    for (const size_t k : {1, 2, 3, 0}) {
      attributes.Add(cloud.rotations[4 * i + k]);
    }
  }
  attributes.BeginSplatAttribute("SCALE", "VEC3");
  for (const float v : cloud.log_scales) attributes.Add(std::exp(v));
  attributes.BeginSplatAttribute("OPACITY", "SCALAR");
  for (const float v : cloud.logits) {
    attributes.Add(static_cast<float>(OpacityOf(v)));
  }
  attributes.BeginSplatAttribute("SH_DEGREE_0_COEF_0", "VEC3");
  for (const float v : cloud.colours) attributes.Add(v);
  AddHarmonics(cloud, &attributes);
  return attributes;
}

}  // namespace

std::string GlbBytes(const SplatCloud& cloud) {
  CheckWritable(cloud);
  const Attributes attributes = AttributesOf(cloud);
  std::string text = attributes.ToGltf().dump();
  text.append((4 - text.size() % 4) % 4, ' ');
  const std::string& data = attributes.bytes();
  const size_t size = 12 + 8 + text.size() + 8 + data.size();
  if (size > UINT32_MAX) {
    throw UserError(std::to_string(cloud.count()) +
                        " gaussians take more than the 4 GiB that a GLB file "
                        "can have",
                    "write the splats as SPZ or PLY");
  }
  std::string bytes;
  bytes.reserve(size);
  Append(kMagic, &bytes);
  Append(uint32_t{2}, &bytes);
  Append(static_cast<uint32_t>(size), &bytes);
  Append(static_cast<uint32_t>(text.size()), &bytes);
  Append(kJsonChunk, &bytes);
  bytes += text;
  Append(static_cast<uint32_t>(data.size()), &bytes);
  Append(kBinaryChunk, &bytes);
  bytes += data;
  return bytes;
}

}  // namespace nerfpipe::splats
