#pragma once

// A fresh folder, removed with the object. Its name is not plain ASCII and has
// a space, as users' folders do; no two are the same, so that all tests may run
// side by side.

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <unistd.h>

namespace nerfpipe {

// A place where flushing costs nothing, for tests that would otherwise test the
// disk: in memory where there is such a place.
inline std::filesystem::path FastPlace() {
  return access("/dev/shm", W_OK | X_OK) == 0
             ? "/dev/shm"
             : std::filesystem::temp_directory_path();
}

class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::filesystem::path& place =
                               std::filesystem::temp_directory_path()) {
    std::string pattern = (place / "nerfpipe 测试 XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
      throw std::runtime_error("cannot make " + pattern);
    }
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  operator const std::filesystem::path&() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const {
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace nerfpipe
