#include "stages/colmap/matching/kept_work.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/digest.h"
#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "pipeline/base/parallel.h"
#include "stages/common/dataset_folder.h"

#include <utility>

#include <fmt/format.h>

namespace nerfpipe::sfm {
namespace {

namespace fs = std::filesystem;

std::string DigestOfPicture(const fs::path& image, const fs::path& mask) {
  DigestBuilder digest;
  digest.Add(DigestOfFile(image));
  digest.Add(fs::exists(mask) ? DigestOfFile(mask) : std::string());
  return digest.Finish();
}

}  // namespace

void WriteKept(const fs::path& path,
               const std::string& key,
               std::string_view bytes) {
  WriteFileAtomically(path, key + std::string(bytes));
}

std::optional<std::string> ReadKept(const fs::path& path,
                                    const std::string& key) {
  if (!fs::exists(path)) return std::nullopt;
  const std::string bytes = ReadFile(path);
  if (!bytes.starts_with(key)) return std::nullopt;
  return bytes.substr(key.size());
}

std::vector<size_t> SamplesOf(size_t count) {
  NERFPIPE_CHECK(count > 0);
  return {0, count / 2, count - 1};
}

KeptFeatures::KeptFeatures(fs::path folder,
                           const fs::path& images,
                           const fs::path& masks,
                           const std::vector<std::string>& names,
                           const FeatureOptions& options,
                           int threads)
    : folder_(std::move(folder)), names_(names), keys_(names.size()) {
  fs::create_directories(folder_);
  std::vector<std::string> pictures(names.size());
  ParallelFor(names.size(), threads, [&](int64_t i) {
    ThrowIfInterrupted();
    pictures[i] =
        DigestOfPicture(images / names[i], masks / MaskName(names[i]));
  });
  DigestBuilder search;
  search.Add(fmt::format("{} {} {}",
                         options.max_image_size,
                         options.max_features,
                         options.affine));
  for (const size_t i : SamplesOf(names.size())) search.Add(pictures[i]);
  const std::string how = search.Finish();
  for (size_t i = 0; i < names.size(); ++i) {
    keys_[i] = DigestBuilder().Add(pictures[i]).Add(how).Finish();
  }
}

fs::path KeptFeatures::PathOf(size_t image) const {
  return folder_ / (names_[image] + ".bin");
}

std::optional<Features> KeptFeatures::Load(size_t image) const {
  const auto bytes = ReadKept(PathOf(image), keys_[image]);
  return bytes ? ParseFeatures(*bytes) : std::nullopt;
}

void KeptFeatures::Save(size_t image, const Features& features) const {
  WriteKept(PathOf(image), keys_[image], SerializeFeatures(features));
}

}  // namespace nerfpipe::sfm
