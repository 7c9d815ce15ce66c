#include "stages/common/capture_file.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/json_text.h"

#include <cmath>

#include <nlohmann/json.hpp>

namespace nerfpipe {
namespace {

constexpr int kVersion = 1;

// Six digits are more than any of these figures holds, and keep the file
// easy to read.
double Rounded(double value) { return std::round(value * 1e6) / 1e6; }

nlohmann::ordered_json ToJson(const CaptureFrame& frame, bool photo) {
  nlohmann::ordered_json json;
  json["name"] = frame.name;
  if (photo) {
    json["original"] = ToJsonText(frame.original);
  } else {
    if (!frame.clip.empty()) json["clip"] = ToJsonText(frame.clip);
    json["index"] = frame.index;
    json["time"] = Rounded(frame.time);
  }
  if (frame.focal > 0) json["focal"] = Rounded(frame.focal);
  json["width"] = frame.width;
  json["height"] = frame.height;
  json["sharpness"] = Rounded(frame.sharpness);
  json["relative_sharpness"] = Rounded(frame.relative_sharpness);
  json["exposure"] = Rounded(frame.exposure);
  json["exposure_drift"] = Rounded(frame.exposure_drift);
  json["motion"] = Rounded(frame.motion);
  json["kept"] = frame.kept;
  json["reason"] = frame.reason;
  return json;
}

CaptureFrame FromJson(const nlohmann::json& json, bool photo) {
  CaptureFrame frame;
  frame.name = json.at("name").get<std::string>();
  if (photo) {
    frame.original = FromJsonText(json.at("original").get<std::string>());
  } else {
    frame.clip = FromJsonText(json.value("clip", ""));
    frame.index = json.at("index").get<int64_t>();
    frame.time = json.at("time").get<double>();
  }
  frame.focal = json.value("focal", 0.0);
  frame.width = json.at("width").get<int>();
  frame.height = json.at("height").get<int>();
  frame.sharpness = json.at("sharpness").get<double>();
  frame.relative_sharpness = json.at("relative_sharpness").get<double>();
  frame.exposure = json.at("exposure").get<double>();
  frame.exposure_drift = json.at("exposure_drift").get<double>();
  frame.motion = json.at("motion").get<double>();
  frame.kept = json.at("kept").get<bool>();
  frame.reason = json.at("reason").get<std::string>();
  return frame;
}

}  // namespace

std::vector<std::string> CaptureFile::KeptNames() const {
  std::vector<std::string> names;
  for (const CaptureFrame& frame : frames) {
    if (frame.kept) names.push_back(frame.name);
  }
  return names;
}

CaptureFile ReadCaptureFile(const std::filesystem::path& path) {
  const std::string text = ReadFile(path);
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    if (json.at("version").get<int>() > kVersion) {
      throw UserError(
          "'" + path.string() + "' was written by a newer nerfpipe",
          "use that version, or run the check stage again with this one");
    }
    CaptureFile capture;
    capture.kind = json.at("kind").get<std::string>();
    const bool photos = capture.kind == "photos";
    for (const nlohmann::json& frame : json.at("frames")) {
      capture.frames.push_back(FromJson(frame, photos));
    }
    return capture;
  } catch (const nlohmann::json::exception& error) {
    throw UserError("'" + path.string() + "' is damaged (" + error.what() + ")",
                    "run the check stage again");
  }
}

void WriteCaptureFile(const CaptureFile& capture,
                      const std::filesystem::path& path) {
  nlohmann::ordered_json json;
  json["version"] = kVersion;
  json["kind"] = capture.kind;
  json["frames"] = nlohmann::ordered_json::array();
  for (const CaptureFrame& frame : capture.frames) {
    json["frames"].push_back(ToJson(frame, capture.kind == "photos"));
  }
  WriteFileAtomically(path, JsonForPeople(json, 1) + "\n");
}

}  // namespace nerfpipe
