#include "stages/nerf/stage/trained_scenes.h"

#include "pipeline/base/atomic_file.h"
#include "stages/common/dataset_folder.h"

#include <nlohmann/json.hpp>

namespace nerfpipe {

namespace fs = std::filesystem;

std::set<std::string> ImagesOfTrainedScenes(const fs::path& workspace) {
  std::set<std::string> folders;
  const fs::path trained = workspace / "train";
  if (!fs::is_directory(trained)) return folders;
  for (const auto& scene : fs::directory_iterator(trained)) {
    const fs::path file = scene.path() / "scene.json";
    if (!fs::is_regular_file(file)) continue;
    const auto json = nlohmann::json::parse(ReadFile(file), nullptr, false);
    if (!json.is_object() || !json.contains("factor") ||
        !json.at("factor").is_number_integer()) {
      continue;
    }
    const int factor = json.at("factor").get<int>();
    folders.insert(ImagesFolderName(factor));
    folders.insert(MasksFolderName(factor));
  }
  return folders;
}

}  // namespace nerfpipe
