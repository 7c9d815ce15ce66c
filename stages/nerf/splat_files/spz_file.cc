#include "stages/nerf/splat_files/spz_file.h"

#include "pipeline/base/error.h"
#include "stages/nerf/splat_files/file_bytes.h"
#include "stages/nerf/splat_files/gzip.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

namespace nerfpipe::splats {
namespace {

constexpr uint32_t kMagic = 0x5053474e;  // "NGSP"
constexpr size_t kHeader = 16;
constexpr uint32_t kWritten = 3;
constexpr uint8_t kAntialiased = 0x01;
constexpr uint8_t kExtensions = 0x02;      // records behind the gaussians
constexpr uint8_t kLevelsOfDetail = 0x80;  // of Spark: a tree of gaussians

// Real files are packed to half or a third of what they hold.
constexpr size_t kMostGrowth = 100;
constexpr size_t kAlwaysAllowed = size_t{1} << 20;

constexpr int kMostFractionalBits = 23;
constexpr double kLargestFixed = (1 << 23) - 1;  // of 24 bits with a sign
// A wider range than 0 to 1: harmonics may bring the colour back into it.
constexpr double kColourScale = 0.15;
constexpr double kSmallestThree = 511 * 1.4142135623730951;

// Bytes that a gaussian takes in each of the six blocks, which follow each
// other in this order.
struct Layout {
  size_t mean = 9;
  size_t opacity = 1;
  size_t colour = 3;
  size_t scale = 3;
  size_t rotation = 4;
  size_t harmonics = 0;

  Layout(uint32_t version, int degree)
      : mean(version == 1 ? 6 : 9),
        rotation(version < 3 ? 3 : 4),
        harmonics(3 * HarmonicsOf(degree)) {}
  size_t size() const {
    return mean + opacity + colour + scale + rotation + harmonics;
  }
};

// As many as the largest coordinate leaves: scenes have no true size, so that
// Niantic's 12 may be far too few.
int FractionalBitsFor(const std::vector<float>& means) {
  double largest = 0;
  for (const float v : means) {
    largest = std::max(largest, std::abs(static_cast<double>(v)));
  }
  for (int bits = kMostFractionalBits; bits >= 0; --bits) {
    if (std::round(std::ldexp(largest, bits)) <= kLargestFixed) return bits;
  }
  throw UserError("a gaussian lies " + std::to_string(largest) +
                      " from the middle, and coordinates in SPZ end at 8388607",
                  "write the splats as PLY, or leave out what is so far away");
}

void AppendMean(float value, int fractional_bits, std::string* bytes) {
  const auto fixed =
      static_cast<int32_t>(std::lround(std::ldexp(value, fractional_bits)));
  for (const int shift : {0, 8, 16}) {
    Append(static_cast<uint8_t>(fixed >> shift & 0xff), bytes);
  }
}

// Two bits for the index of the largest component (x, y, z, w) and ten for each
// of the others: a sign and a magnitude. The largest one is made positive.
void AppendRotation(const float* wxyz, std::string* bytes) {
  const std::array<float, 4> q = {wxyz[1], wxyz[2], wxyz[3], wxyz[0]};
  uint32_t largest = 0;
  for (uint32_t k = 1; k < 4; ++k) {
    if (std::abs(q[k]) > std::abs(q[largest])) largest = k;
  }
  uint32_t packed = largest;
  for (uint32_t k = 0; k < 4; ++k) {
    if (k == largest) continue;
    const bool negative = (q[k] < 0) != (q[largest] < 0);
    const long magnitude = std::lround(std::abs(q[k]) * kSmallestThree);
    packed = packed << 10 | (negative ? 1u << 9 : 0u) |
             static_cast<uint32_t>(std::min(magnitude, 511l));
  }
  Append(packed, bytes);
}

std::array<float, 4> RotationOf(const char* at, uint32_t version) {
  std::array<double, 4> q = {};  // x, y, z, w
  size_t derived = 3;            // the component that is not stored
  if (version < 3) {
    for (size_t k = 0; k < 3; ++k) q[k] = Load<uint8_t>(at + k) / 127.5 - 1;
  } else {
    auto packed = Load<uint32_t>(at);
    derived = packed >> 30;
    for (size_t k = 4; k-- > 0;) {
      if (k == derived) continue;
      q[k] = (packed & 511) / kSmallestThree;
      if ((packed >> 9 & 1) != 0) q[k] = -q[k];
      packed >>= 10;
    }
  }
  double rest = 1;
  for (const double v : q) rest -= v * v;
  q[derived] = std::sqrt(std::max(0.0, rest));
  return {static_cast<float>(q[3]),
          static_cast<float>(q[0]),
          static_cast<float>(q[1]),
          static_cast<float>(q[2])};
}

// To the middle of a bucket of 8 or 16 steps: equal bytes pack well.
uint8_t HarmonicByte(float value, size_t coefficient) {
  const long bucket = coefficient < HarmonicsOf(1) ? 8 : 16;
  const long step = std::lround(std::clamp(value, -1.0f, 1.0f) * 128) + 128;
  return static_cast<uint8_t>(
      std::min((step + bucket / 2) / bucket * bucket, 255l));
}

float HalfToFloat(uint16_t half) {
  const int exponent = half >> 10 & 31;
  const int mantissa = half & 1023;
  float value;
  if (exponent == 31) {
    value = mantissa == 0 ? HUGE_VALF : std::nanf("");
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<float>(mantissa), -24);
  } else {
    value = std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
  }
  return half >> 15 != 0 ? -value : value;
}

float MeanOf(const char* at, uint32_t version, int fractional_bits) {
  if (version == 1) return HalfToFloat(Load<uint16_t>(at));
  // The third byte has the sign.
  const int32_t fixed =
      Load<uint16_t>(at) + int32_t{Load<int8_t>(at + 2)} * 65536;
  return std::ldexp(static_cast<float>(fixed), -fractional_bits);
}

struct Header {
  uint32_t version;
  uint32_t count;
  int degree;
  int fractional_bits;
  uint8_t flags;
};

Header ParseHeader(std::string_view bytes, const std::string& name) {
  if (bytes.size() < kHeader || Load<uint32_t>(bytes.data()) != kMagic) {
    FailRead(name, "is not an SPZ file");
  }
  const Header header = {Load<uint32_t>(bytes.data() + 4),
                         Load<uint32_t>(bytes.data() + 8),
                         Load<uint8_t>(bytes.data() + 12),
                         Load<uint8_t>(bytes.data() + 13),
                         Load<uint8_t>(bytes.data() + 14)};
  if (header.version < 1 || header.version > kWritten) {
    FailRead(name,
             "has the unknown version " + std::to_string(header.version) +
                 " of SPZ");
  }
  if (header.degree > kMostDegree) {
    throw UserError(
        name + ": has harmonics of degree " + std::to_string(header.degree),
        "export the splats with harmonics of degree 3 at most");
  }
  if (header.fractional_bits > kMostFractionalBits) {
    FailRead(name,
             "announces " + std::to_string(header.fractional_bits) +
                 " binary places of coordinates that have 23");
  }
  if ((header.flags & kLevelsOfDetail) != 0) {
    throw UserError(name + ": holds levels of detail, a tree of gaussians",
                    "give the file that Spark made it from");
  }
  return header;
}

// What other axes than ours are said by an extension of Adobe's.
void CheckExtensions(std::string_view bytes, const std::string& name) {
  constexpr uint32_t kCoordinateSystem = 0xadbe0003;
  constexpr size_t kRecord = 8;  // type and length
  while (bytes.size() >= kRecord) {
    if (Load<uint32_t>(bytes.data()) == kCoordinateSystem) {
      throw UserError(name +
                          ": names its axes by the extension "
                          "SPZ_ADOBE_coordinate_system, which is not read",
                      "export the splats without it, as right, up and back");
    }
    const uint32_t length = Load<uint32_t>(bytes.data() + 4);
    bytes.remove_prefix(kRecord);
    bytes.remove_prefix(std::min<size_t>(length, bytes.size()));
  }
}

}  // namespace

std::string SpzBytes(const SplatCloud& cloud) {
  CheckWritable(cloud);
  const size_t count = cloud.count();
  NERFPIPE_CHECK(count <= UINT32_MAX);
  const int fractional_bits = FractionalBitsFor(cloud.means);
  const size_t harmonics = 3 * HarmonicsOf(cloud.degree);

  std::string bytes;
  bytes.reserve(kHeader + count * Layout(kWritten, cloud.degree).size());
  Append(kMagic, &bytes);
  Append(kWritten, &bytes);
  Append(static_cast<uint32_t>(count), &bytes);
  Append(static_cast<uint8_t>(cloud.degree), &bytes);
  Append(static_cast<uint8_t>(fractional_bits), &bytes);
  Append(cloud.antialiased ? kAntialiased : uint8_t{0}, &bytes);
  Append(uint8_t{0}, &bytes);
  for (const float v : cloud.means) AppendMean(v, fractional_bits, &bytes);
  for (const float v : cloud.logits) {
    Append(ByteOf(255 * OpacityOf(v)), &bytes);
  }
  for (const float v : cloud.colours) {
    Append(ByteOf(255 * (0.5 + kColourScale * v)), &bytes);
  }
  for (const float v : cloud.log_scales) {
    Append(ByteOf((v + 10.0) * 16), &bytes);
  }
  for (size_t i = 0; i < count; ++i) {
    AppendRotation(cloud.rotations.data() + 4 * i, &bytes);
  }
  for (size_t k = 0; k < cloud.harmonics.size(); ++k) {
    Append(HarmonicByte(cloud.harmonics[k], k % harmonics / 3), &bytes);
  }
  return Gzipped(bytes);
}

SplatCloud ReadSpz(std::string_view bytes, const std::string& name) {
  if (bytes.substr(0, 4) == "NGSP") {
    throw UserError(name +
                        ": is SPZ of version 4 or later, and versions 1 to 3 "
                        "are read",
                    "write it again as version 3: splat-transform "
                    "--spz-version 3");
  }
  if (bytes.substr(0, 2) != "\x1f\x8b") FailRead(name, "is not an SPZ file");
  const std::string unpacked = Gunzipped(
      bytes, std::max(kAlwaysAllowed, kMostGrowth * bytes.size()), name);
  const Header header = ParseHeader(unpacked, name);
  const Layout layout(header.version, header.degree);
  const size_t count = header.count;
  const size_t held = (unpacked.size() - kHeader) / layout.size();
  const bool extended = (header.flags & kExtensions) != 0;
  const size_t end = kHeader + count * layout.size();
  if (count > held || (!extended && end != unpacked.size())) {
    FailRead(name,
             "announces " + std::to_string(count) + " gaussians but holds " +
                 std::to_string(unpacked.size() - kHeader) +
                 " bytes, which is not " + std::to_string(layout.size()) +
                 " for each");
  }
  if (extended) CheckExtensions(std::string_view(unpacked).substr(end), name);

  const char* const means = unpacked.data() + kHeader;
  const char* const opacities = means + count * layout.mean;
  const char* const colours = opacities + count * layout.opacity;
  const char* const scales = colours + count * layout.colour;
  const char* const rotations = scales + count * layout.scale;
  const char* const harmonics = rotations + count * layout.rotation;
  SplatCloud cloud = MakeCloud(header.degree, count);
  cloud.antialiased = (header.flags & kAntialiased) != 0;
  for (size_t i = 0; i < count; ++i) {
    Splat splat;
    for (size_t k = 0; k < 3; ++k) {
      splat.mean[k] = MeanOf(means + i * layout.mean + k * layout.mean / 3,
                             header.version,
                             header.fractional_bits);
      const auto scale = Load<uint8_t>(scales + 3 * i + k);
      splat.log_scale[k] = scale / 16.0f - 10.0f;
      const auto colour = Load<uint8_t>(colours + 3 * i + k);
      splat.colour[k] =
          static_cast<float>((colour / 255.0 - 0.5) / kColourScale);
    }
    splat.logit = LogitOf(Load<uint8_t>(opacities + i) / 255.0);
    splat.rotation =
        RotationOf(rotations + i * layout.rotation, header.version);
    for (size_t k = 0; k < layout.harmonics; ++k) {
      const auto byte = Load<uint8_t>(harmonics + i * layout.harmonics + k);
      splat.harmonics[k] = (byte - 128.0f) / 128;
    }
    AddSplat(splat, &cloud);
  }
  CheckRead(cloud, name);
  return cloud;
}

}  // namespace nerfpipe::splats
