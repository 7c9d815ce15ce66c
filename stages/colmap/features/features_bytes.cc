// Features as bytes, for unfinished work.

#include "stages/colmap/features/byte_stream.h"
#include "stages/colmap/features/features.h"

#include <utility>

namespace nerfpipe::sfm {
namespace {

constexpr uint32_t kFeatureMagic = 0x3253464e;  // "NFS2"

}  // namespace

std::string SerializeFeatures(const Features& features) {
  ByteWriter writer;
  writer.Put(kFeatureMagic);
  writer.PutVector(features.keypoints);
  writer.PutVector(features.descriptors);
  return std::move(writer).Finish();
}

std::optional<Features> ParseFeatures(std::string_view bytes) {
  ByteReader reader(bytes);
  uint32_t magic = 0;
  Features features;
  if (!reader.Get(&magic) || magic != kFeatureMagic ||
      !reader.GetVector(&features.keypoints) ||
      !reader.GetVector(&features.descriptors) || !reader.AtEnd() ||
      features.descriptors.size() !=
          features.keypoints.size() * kDescriptorSize) {
    return std::nullopt;
  }
  return features;
}

}  // namespace nerfpipe::sfm
