#include "stages/media/file_kind.h"

#include "pipeline/base/atomic_file.h"
#include "pipeline/base/error.h"
#include "stages/media/header_bytes.h"
#include "stages/media/image_file.h"
#include "stages/media/image_header.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <set>
#include <string>

namespace nerfpipe {
namespace {

bool HasSuffix(const std::filesystem::path& path) {
  const std::string suffix = path.extension().string();
  return suffix.size() > 1 &&
         std::isalpha(static_cast<unsigned char>(suffix[1])) != 0;
}

// Nothing of a file that may not be read.
std::string BeginningOf(const std::filesystem::path& path, size_t most) {
  try {
    return ReadBeginning(path, most);
  } catch (const MachineError&) {
    throw;
  } catch (const UserError&) {
    return "";
  }
}

bool BeginsAsImage(const std::filesystem::path& path) {
  constexpr size_t kEnough = 32;
  const std::string bytes = BeginningOf(path, kEnough);
  const ImageHeader header = ParseImageHeader(bytes);
  if (header.format == ImageHeader::Format::kBmp) {
    // Two letters are little to go by; these bytes are reserved.
    return bytes.size() == kEnough && HeaderBytes(bytes).U32(6) == 0;
  }
  return header.format != ImageHeader::Format::kUnknown;
}

}  // namespace

bool HasVideoSuffix(const std::filesystem::path& path) {
  static const std::set<std::string> kSuffixes = {".mp4",
                                                  ".mov",
                                                  ".m4v",
                                                  ".mkv",
                                                  ".webm",
                                                  ".avi",
                                                  ".3gp",
                                                  ".mts",
                                                  ".m2ts",
                                                  ".ts",
                                                  ".mpg",
                                                  ".mpeg",
                                                  ".wmv",
                                                  ".gif"};
  std::string suffix = path.extension().string();
  std::transform(suffix.begin(), suffix.end(), suffix.begin(), ::tolower);
  return kSuffixes.contains(suffix);
}

bool IsImageFile(const std::filesystem::path& path) {
  if (HasSuffix(path)) return HasImageSuffix(path);
  return !HasVideoSuffix(path) && BeginsAsImage(path);
}

}  // namespace nerfpipe
