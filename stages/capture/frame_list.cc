#include "stages/capture/frame_list.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "pipeline/base/json_text.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace nerfpipe {

std::string FrameList::Kind() const {
  if (!video) return "photos";
  const bool several =
      std::any_of(frames.begin(), frames.end(), [&](const ListedFrame& frame) {
        return frame.clip != frames.front().clip;
      });
  return several ? "clips" : "video";
}

FrameList ReadFrameList(const std::filesystem::path& path) {
  const std::string text = ReadFile(path);
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    FrameList list;
    list.source = FromJsonText(json.at("source").get<std::string>());
    list.video = json.at("kind").get<std::string>() != "photos";
    if (list.video) {
      const nlohmann::json& clip = json.at("clip");
      list.clip_frames = clip.at("frames").get<int64_t>();
      list.clip_duration = clip.at("duration").get<double>();
      list.frames_per_second = clip.at("frames_per_second").get<double>();
      list.codec = clip.at("codec").get<std::string>();
      list.hdr = clip.at("hdr").get<std::string>();
    }
    for (const nlohmann::json& entry : json.at("frames")) {
      ListedFrame frame;
      frame.name = entry.at("name").get<std::string>();
      if (list.video) {
        frame.index = entry.at("index").get<int64_t>();
        frame.time = entry.at("time").get<double>();
        frame.clip = FromJsonText(entry.value("clip", ""));
      } else {
        frame.original = FromJsonText(entry.at("original").get<std::string>());
      }
      frame.focal = entry.value("focal", 0.0);
      list.frames.push_back(std::move(frame));
    }
    return list;
  } catch (const nlohmann::json::exception& error) {
    throw UserError("'" + path.string() + "' is damaged (" + error.what() + ")",
                    "run the extract stage again");
  }
}

void WriteFrameList(const FrameList& list, const std::filesystem::path& path) {
  nlohmann::ordered_json json;
  json["source"] = ToJsonText(list.source);
  json["kind"] = list.Kind();
  if (list.video) {
    json["clip"] = {{"frames", list.clip_frames},
                    {"duration", list.clip_duration},
                    {"frames_per_second", list.frames_per_second},
                    {"codec", list.codec},
                    {"hdr", list.hdr}};
  }
  json["frames"] = nlohmann::ordered_json::array();
  for (const ListedFrame& frame : list.frames) {
    nlohmann::ordered_json entry;
    entry["name"] = frame.name;
    if (list.video) {
      entry["index"] = frame.index;
      entry["time"] = frame.time;
      if (!frame.clip.empty()) entry["clip"] = ToJsonText(frame.clip);
    } else {
      entry["original"] = ToJsonText(frame.original);
    }
    if (frame.focal > 0) entry["focal"] = frame.focal;
    json["frames"].push_back(std::move(entry));
  }
  std::filesystem::create_directories(path.parent_path());
  WriteFileAtomically(path, JsonForPeople(json, 1) + "\n");
}

std::string FrameName(int64_t number,
                      int64_t count,
                      const std::string& suffix) {
  const size_t digits = std::max<size_t>(5, std::to_string(count).size());
  std::string text = std::to_string(number);
  if (text.size() < digits) text.insert(0, digits - text.size(), '0');
  return text + suffix;
}

}  // namespace nerfpipe
