#pragma once

// What editors and tools can do to a file without size and time telling of it.

#include <filesystem>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nerfpipe {

// Writes over the file, byte for byte, and sets its time back.
inline void EditInPlace(const std::filesystem::path& path,
                        const std::string& text) {
  struct stat before = {};
  stat(path.c_str(), &before);
  const int file = open(path.c_str(), O_WRONLY);
  const ssize_t written = pwrite(file, text.data(), text.size(), 0);
  if (written < 0 || written != before.st_size) {
    close(file);
    throw std::runtime_error("the test's own edit must keep the size");
  }
  const struct timespec times[2] = {before.st_atim, before.st_mtim};
  futimens(file, times);
  close(file);
}

}  // namespace nerfpipe
