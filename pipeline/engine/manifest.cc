#include "pipeline/engine/manifest.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/digest.h"
#include "pipeline/base/json_text.h"

namespace nerfpipe {
namespace {

constexpr int kFormat = 1;

}  // namespace

std::string ManifestToJson(const Manifest& manifest) {
  nlohmann::ordered_json outputs = nlohmann::ordered_json::object();
  for (const auto& [path, output] : manifest.outputs) {
    outputs[path] = {{"digest", output.digest}, {"files", output.files}};
  }
  nlohmann::ordered_json body = {
      {"format", kFormat},
      {"stage", manifest.stage},
      {"stage_version", manifest.stage_version},
      {"line", manifest.line},
      {"seconds", manifest.seconds},
      {"peak_memory_mb", manifest.peak_memory_mb},
      {"options", manifest.options},
      {"inputs", manifest.inputs},
      {"facts", manifest.facts},
      {"outputs", outputs},
  };
  if (!manifest.reduced.empty()) {
    body["reduced"] = {{"what", manifest.reduced},
                       {"memory_wanted", manifest.memory_wanted}};
  }
  // The seal tells a record that somebody cut short or edited.
  const nlohmann::ordered_json sealed = {
      {"seal", DigestOf(JsonForPeople(body))}, {"record", body}};
  return JsonForPeople(sealed, 1) + "\n";
}

std::optional<Manifest> ManifestFromJson(const std::string& text) {
  try {
    const auto sealed = nlohmann::ordered_json::parse(text);
    const auto& body = sealed.at("record");
    if (sealed.at("seal") != DigestOf(JsonForPeople(body)) ||
        body.at("format") != kFormat) {
      return std::nullopt;
    }
    Manifest manifest;
    body.at("stage").get_to(manifest.stage);
    body.at("stage_version").get_to(manifest.stage_version);
    body.at("line").get_to(manifest.line);
    if (body.contains("reduced")) {
      body.at("reduced").at("what").get_to(manifest.reduced);
      body.at("reduced").at("memory_wanted").get_to(manifest.memory_wanted);
    }
    body.at("seconds").get_to(manifest.seconds);
    body.at("peak_memory_mb").get_to(manifest.peak_memory_mb);
    body.at("options").get_to(manifest.options);
    body.at("inputs").get_to(manifest.inputs);
    manifest.facts = body.at("facts");
    for (const auto& [path, output] : body.at("outputs").items()) {
      output.at("digest").get_to(manifest.outputs[path].digest);
      output.at("files").get_to(manifest.outputs[path].files);
    }
    return manifest;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

ManifestState ReadManifest(const std::filesystem::path& path,
                           Manifest* manifest) {
  if (!std::filesystem::exists(path)) {
    return ManifestState::kAbsent;
  }
  std::optional<Manifest> read = ManifestFromJson(ReadFile(path));
  if (!read) {
    return ManifestState::kDamaged;
  }
  *manifest = std::move(*read);
  return ManifestState::kPresent;
}

}  // namespace nerfpipe
