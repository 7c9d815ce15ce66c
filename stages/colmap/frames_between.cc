#include "stages/colmap/frames_between.h"

#include "pipeline/base/error.h"
#include "pipeline/base/interrupt.h"
#include "stages/media/image_file.h"
#include "stages/media/video_reader.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

#include <fmt/format.h>

namespace nerfpipe::sfm {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostFrames = 100;
constexpr int64_t kMostInAGap = 7;
constexpr int kJpegQuality = 97;  // as extract has it

// Places in `names` of those before a break.
std::vector<size_t> Breaks(const std::vector<std::string>& names,
                           const std::vector<ColmapModel>& models) {
  std::vector<std::set<std::string>> members;
  for (const ColmapModel& model : models) {
    std::set<std::string>& of_model = members.emplace_back();
    for (const auto& [id, image] : model.images) of_model.insert(image.name);
  }
  std::vector<size_t> breaks;
  for (size_t i = 0; i + 1 < names.size(); ++i) {
    if (std::none_of(members.begin(), members.end(), [&](const auto& model) {
          return model.contains(names[i]) && model.contains(names[i + 1]);
        })) {
      breaks.push_back(i);
    }
  }
  return breaks;
}

// Nothing when it cannot be read.
std::unique_ptr<VideoReader> Opened(const fs::path& clip,
                                    int threads,
                                    Report* report) {
  try {
    return std::make_unique<VideoReader>(clip, threads);
  } catch (const MachineError&) {
    throw;
  } catch (const UserError& error) {
    report->Detail(error.problem());
    return nullptr;
  }
}

}  // namespace

std::vector<FrameBetween> ChooseFramesBetween(
    const std::vector<std::string>& names,
    const std::vector<int64_t>& indices,
    const std::vector<ColmapModel>& models) {
  const std::vector<size_t> breaks = Breaks(names, models);
  if (breaks.empty() || breaks.size() > kMostFrames) return {};
  const int64_t most =
      std::min(kMostInAGap, static_cast<int64_t>(kMostFrames / breaks.size()));
  std::vector<FrameBetween> chosen;
  for (const size_t i : breaks) {
    const int64_t step = indices[i + 1] - indices[i];
    const int64_t count = std::clamp<int64_t>(step - 1, 0, most);
    const std::string stem = fs::path(names[i]).stem().string();
    for (int64_t k = 1; k <= count; ++k) {
      chosen.push_back({fmt::format("{}_{}.jpg", stem, k),
                        indices[i] + k * step / (count + 1),
                        static_cast<int>(i)});
    }
  }
  return chosen;
}

std::vector<FrameBetween> DecodeFramesBetween(
    const fs::path& clip,
    const std::vector<FrameBetween>& wanted,
    int width,
    int height,
    const fs::path& folder,
    int threads,
    Report* report) {
  const std::unique_ptr<VideoReader> reader = Opened(clip, threads, report);
  if (reader == nullptr) return {};
  std::vector<FrameBetween> there;
  std::vector<int64_t> indices;
  for (const FrameBetween& frame : wanted) {
    if (frame.index < 0 || frame.index >= reader->info().frames) continue;
    there.push_back(frame);
    indices.push_back(frame.index);
  }
  reader->DecodeOnly(indices);
  const auto progress = report->Start(
      "decoding more frames", static_cast<int64_t>(there.size()), "frames");
  std::vector<FrameBetween> decoded;
  size_t next = 0;
  while (next < there.size()) {
    ThrowIfInterrupted();
    const std::optional<VideoFrame> frame = reader->Next();
    if (!frame) break;
    while (next < there.size() && there[next].index < frame->index()) ++next;
    if (next == there.size() || there[next].index != frame->index()) continue;
    const Image picture = frame->ToImage();
    if (picture.width == width && picture.height == height) {
      WriteImage(picture, folder / there[next].name, kJpegQuality);
      decoded.push_back(there[next]);
    }
    progress->Update(static_cast<int64_t>(++next));
  }
  return decoded;
}

}  // namespace nerfpipe::sfm
