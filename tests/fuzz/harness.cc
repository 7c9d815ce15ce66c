#include "tests/fuzz/harness.h"

#include "pipeline/base/error.h"
#include "stages/media/image_file.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace nerfpipe::fuzz {
namespace {

namespace fs = std::filesystem;

Reader TheReader() {
  const char* const name = std::getenv("NERFPIPE_READER");
  const std::map<std::string, Reader>& readers = Readers();
  const auto found = readers.find(name == nullptr ? "" : name);
  if (found == readers.end()) {
    for (const auto& [known, reader] : readers) std::puts(known.c_str());
    std::fflush(stdout);
    std::_Exit(2);
  }
  return found->second;
}

}  // namespace

const fs::path& Folder() {
  static const fs::path folder = [] {
    const char* const name = std::getenv("NERFPIPE_FUZZ_FOLDER");
    return name == nullptr ? fs::current_path() : fs::path(name);
  }();
  return folder;
}

fs::path Written(const std::string& name, const std::string& bytes) {
  fs::path path = Folder() / name;
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

void WriteImagesOnce(const fs::path& folder) {
  constexpr int kImages = 6;
  static const bool written = [&] {
    fs::create_directories(folder);
    for (int i = 0; i < kImages; ++i) {
      WriteImage(Image(16, 12, 3), folder / (std::to_string(i) + ".png"));
    }
    return true;
  }();
  static_cast<void>(written);
}

}  // namespace nerfpipe::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const nerfpipe::fuzz::Reader reader = nerfpipe::fuzz::TheReader();
  try {
    reader(std::string(reinterpret_cast<const char*>(data), size));
  } catch (const nerfpipe::UserError&) {
    // As it should be.
  }
  return 0;
}
