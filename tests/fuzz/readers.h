#pragma once

// What the fuzzed readers share: a place for their files.

#include "stages/media/image_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace nerfpipe::fuzz {

using Reader = void (*)(const std::string& bytes);

// NERFPIPE_FUZZ_FOLDER: best in memory, and of one process alone.
inline const std::filesystem::path& Folder() {
  static const std::filesystem::path folder = [] {
    const char* const name = std::getenv("NERFPIPE_FUZZ_FOLDER");
    return name == nullptr ? std::filesystem::current_path()
                           : std::filesystem::path(name);
  }();
  return folder;
}

inline std::filesystem::path Written(const std::string& name,
                                     const std::string& bytes) {
  const std::filesystem::path path = Folder() / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

// As many images as the seeds of the layouts name.
inline void WriteImagesOnce(const std::filesystem::path& folder) {
  constexpr int kImages = 6;
  static const bool written = [&] {
    std::filesystem::create_directories(folder);
    for (int i = 0; i < kImages; ++i) {
      WriteImage(Image(16, 12, 3), folder / (std::to_string(i) + ".png"));
    }
    return true;
  }();
  static_cast<void>(written);
}

// Those that use LibTorch, by name.
std::map<std::string, Reader> SceneReaders();

}  // namespace nerfpipe::fuzz
