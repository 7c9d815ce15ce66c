#include "stages/common/verdict_file.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"

#include <nlohmann/json.hpp>

namespace nerfpipe {

CamerasVerdict ReadVerdict(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return {};
  try {
    const nlohmann::json json = nlohmann::json::parse(ReadFile(file));
    return {json.at("verdict").get<std::string>(),
            json.at("reasons").get<std::vector<std::string>>()};
  } catch (const nlohmann::json::exception& error) {
    throw UserError("'" + file.string() + "' is damaged (" + error.what() + ")",
                    "run the colmap stage again");
  }
}

void WriteVerdict(const CamerasVerdict& verdict,
                  const std::filesystem::path& file) {
  const nlohmann::ordered_json json = {{"verdict", verdict.word},
                                       {"reasons", verdict.reasons}};
  std::filesystem::create_directories(file.parent_path());
  WriteFileAtomically(file, json.dump(1) + "\n");
}

}  // namespace nerfpipe
