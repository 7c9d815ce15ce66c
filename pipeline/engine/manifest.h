#pragma once

// The record of a finished stage: what it read, under which options, what it
// wrote. Kept as .nerfpipe/STAGE.json; a stage is skipped because its record
// matches, never because a folder exists.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace nerfpipe {

struct Manifest {
  std::string stage;
  int stage_version = 0;
  // Full option name to value; only options that can change the result.
  std::map<std::string, std::string> options;
  // Input (as named by the stage) to digest.
  std::map<std::string, std::string> inputs;

  struct Output {
    std::string digest;
    // Path relative to the workspace to digest, for every file in it.
    std::map<std::string, std::string> files;
  };
  std::map<std::string, Output> outputs;

  std::string line;  // the stage's own one-line result
  // As StageResult has them.
  std::string reduced;
  int64_t memory_wanted = 0;
  nlohmann::ordered_json facts = nlohmann::ordered_json::object();
  double seconds = 0;
  double peak_memory_mb = 0;
};

std::string ManifestToJson(const Manifest& manifest);

// Nothing when the text is damaged or of another format version.
std::optional<Manifest> ManifestFromJson(const std::string& text);

enum class ManifestState { kPresent, kAbsent, kDamaged };

// Reads the record at `path` into `manifest`.
ManifestState ReadManifest(const std::filesystem::path& path,
                           Manifest* manifest);

}  // namespace nerfpipe
