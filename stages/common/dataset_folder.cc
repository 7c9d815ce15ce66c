#include "stages/common/dataset_folder.h"

#include "pipeline/base/folders.h"

#include <algorithm>

namespace nerfpipe {
namespace {

std::string OfFactor(const std::string& folder, int factor) {
  return factor == 1 ? folder : folder + "_" + std::to_string(factor);
}

}  // namespace

std::string ImagesFolderName(int factor) {
  return OfFactor(kImagesFolder, factor);
}

std::string MasksFolderName(int factor) {
  return OfFactor(kMasksFolder, factor);
}

std::string MaskName(const std::string& image_name) {
  return std::filesystem::path(image_name).replace_extension(".png").string();
}

std::vector<std::string> SortedFileNames(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : EntriesOf(folder)) {
    std::string name = entry.path().filename().string();
    std::error_code ignored;
    if (name.front() != '.' && entry.is_regular_file(ignored)) {
      names.push_back(std::move(name));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace nerfpipe
