#include "stages/capture/frame_names.h"

#include "stages/common/capture_file.h"

#include <cstddef>
#include <utility>

namespace nerfpipe {

namespace fs = std::filesystem;

std::string WrittenName(int64_t number,
                        int64_t count,
                        int view,
                        const std::string& suffix) {
  return FrameName(
      number, count, view == 0 ? suffix : "-" + std::to_string(view) + suffix);
}

fs::path MaskFileOf(const fs::path& out, const std::string& frame) {
  return out / kFrameMaskFolder / fs::path(frame).replace_extension(".png");
}

std::vector<ListedFrame> NameInOrder(const std::vector<WrittenFrame>& frames,
                                     const fs::path& out) {
  std::vector<ListedFrame> listed;
  std::vector<std::pair<fs::path, fs::path>> moves;
  const auto count = static_cast<int64_t>(frames.size());
  for (size_t i = 0; i < frames.size(); ++i) {
    const WrittenFrame& frame = frames[i];
    listed.push_back(frame.listed);
    const std::string& name = listed.back().name =
        FrameName(static_cast<int64_t>(i) + 1,
                  count,
                  fs::path(frame.file).extension().string());
    if (name == frame.file) continue;
    moves.emplace_back(out / kFrameFolder / frame.file,
                       out / kFrameFolder / name);
    if (frame.masked) {
      moves.emplace_back(MaskFileOf(out, frame.file), MaskFileOf(out, name));
    }
  }
  // By way of other names: a new one may be somebody's old one.
  for (const auto& [from, to] : moves) fs::rename(from, to.string() + ".new");
  for (const auto& [from, to] : moves) fs::rename(to.string() + ".new", to);
  return listed;
}

}  // namespace nerfpipe
