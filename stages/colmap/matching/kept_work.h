#pragma once

// What an interrupted search has found already: files that are taken up again
// only under the key that they were written with, which says what they depend
// on. A name alone may stand for something else than in the sitting before.

#include "stages/colmap/features/features.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerfpipe::sfm {

void WriteKept(const std::filesystem::path& path,
               const std::string& key,
               std::string_view bytes);

// Nothing where there is no file, or one of another key.
std::optional<std::string> ReadKept(const std::filesystem::path& path,
                                    const std::string& key);

// Of `count` images, at least one, those that decide for the whole set whether
// images have features enough without being doubled.
std::vector<size_t> SamplesOf(size_t count);

// Features of a set of images, kept in a folder by what they depend on: the
// picture, its mask, the samples of the set and the options.
class KeptFeatures {
 public:
  // Reads all images and masks once. Throws UserError when one cannot be read,
  // and Interrupted.
  KeptFeatures(std::filesystem::path folder,
               const std::filesystem::path& images,
               const std::filesystem::path& masks,
               const std::vector<std::string>& names,
               const FeatureOptions& options,
               int threads);

  std::optional<Features> Load(size_t image) const;
  void Save(size_t image, const Features& features) const;

 private:
  std::filesystem::path PathOf(size_t image) const;

  std::filesystem::path folder_;
  std::vector<std::string> names_;
  std::vector<std::string> keys_;
};

}  // namespace nerfpipe::sfm
