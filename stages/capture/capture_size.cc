#include "stages/capture/capture_size.h"

#include "pipeline/base/error.h"
#include "stages/capture/capture_listing.h"
#include "stages/media/image_file.h"
#include "stages/media/video_reader.h"

#include <string>
#include <vector>

namespace nerfpipe {
namespace {

namespace fs = std::filesystem;

CaptureSize MeasureVideos(const std::vector<fs::path>& files) {
  CaptureSize size;
  size.video = true;
  for (const fs::path& file : files) {
    const VideoInfo info = VideoReader(file).info();
    size.count += info.frames;
    if (size.width == 0) {
      size.width = info.width;
      size.height = info.height;
    }
  }
  return size;
}

CaptureSize MeasureFolder(const fs::path& folder) {
  const CaptureListing listing = ListCapture(folder);
  if (AreVideosMeant(listing)) {
    std::vector<fs::path> files;
    for (const std::string& name : listing.videos) {
      files.push_back(folder / name);
    }
    return MeasureVideos(files);
  }
  CaptureSize size;
  size.count = static_cast<int64_t>(listing.photos.size());
  if (size.count > 0) {
    const ImageSize first = ReadImageSize(folder / listing.photos.front());
    size.width = first.width;
    size.height = first.height;
  }
  return size;
}

}  // namespace

std::optional<CaptureSize> MeasureCapture(const fs::path& capture) {
  try {
    const CaptureSize size = fs::is_directory(capture)
                                 ? MeasureFolder(capture)
                                 : MeasureVideos({capture});
    return size.count > 0 ? std::optional(size) : std::nullopt;
  } catch (const UserError&) {
    return std::nullopt;
  }
}

}  // namespace nerfpipe
