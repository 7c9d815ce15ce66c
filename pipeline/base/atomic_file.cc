#include "pipeline/base/atomic_file.h"

#include "pipeline/base/error.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nerfpipe {
namespace {

[[noreturn]] void ThrowWriteError(const std::filesystem::path& path,
                                  int error) {
  const std::string reason = std::strerror(error);
  throw UserError("cannot write " + path.string() + " (" + reason + ")",
                  error == ENOSPC || error == EDQUOT
                      ? "free some disk space and run the same command again"
                      : "check the permissions of its folder");
}

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) {
      close(value_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const { return value_; }

 private:
  int value_;
};

void SyncFolder(const std::filesystem::path& folder) {
  const Descriptor file(open(folder.c_str(), O_RDONLY | O_DIRECTORY));
  if (file.value() >= 0) {
    fsync(file.value());
  }
}

}  // namespace

void WriteFileAtomically(const std::filesystem::path& path,
                         std::string_view content) {
  const std::filesystem::path temporary =
      path.parent_path() /
      ("." + path.filename().string() + ".part" + std::to_string(getpid()));
  {
    const Descriptor file(open(
        temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (file.value() < 0) {
      ThrowWriteError(path, errno);
    }
    size_t done = 0;
    while (done < content.size()) {
      const ssize_t count =
          write(file.value(), content.data() + done, content.size() - done);
      if (count < 0 && errno == EINTR) {
        continue;
      }
      if (count < 0) {
        const int error = errno;
        unlink(temporary.c_str());
        ThrowWriteError(path, error);
      }
      done += static_cast<size_t>(count);
    }
    if (fsync(file.value()) != 0) {
      const int error = errno;
      unlink(temporary.c_str());
      ThrowWriteError(path, error);
    }
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    unlink(temporary.c_str());
    ThrowWriteError(path, error);
  }
  SyncFolder(path.parent_path().empty() ? "." : path.parent_path());
}

std::string ReadFile(const std::filesystem::path& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status = {};
  if (file.value() < 0 || fstat(file.value(), &status) != 0) {
    throw UserError(
        "cannot read " + path.string() + " (" + std::strerror(errno) + ")",
        "check that it exists and that you may read it");
  }
  if (S_ISDIR(status.st_mode)) {
    throw UserError(path.string() + " is a folder", "give a file");
  }
  std::string content;
  content.reserve(static_cast<size_t>(status.st_size));
  char buffer[1 << 16];
  while (true) {
    const ssize_t count = read(file.value(), buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      throw UserError(
          "cannot read " + path.string() + " (" + std::strerror(errno) + ")",
          "check the disk");
    }
    if (count == 0) {
      return content;
    }
    content.append(buffer, static_cast<size_t>(count));
  }
}

}  // namespace nerfpipe
