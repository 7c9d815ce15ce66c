#include "pipeline/base/atomic_file.h"

#include "pipeline/base/error.h"

#include <cerrno>
#include <charconv>
#include <csignal>
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

constexpr char kPart[] = ".part";

// The process that is writing, or was, when this is the name of a temporary
// file; else 0.
pid_t WriterOf(const std::string& name) {
  const size_t part = name.rfind(kPart);
  if (name[0] != '.' || part == std::string::npos) {
    return 0;
  }
  const char* const start = name.data() + part + std::strlen(kPart);
  const char* const end = name.data() + name.size();
  pid_t writer = 0;
  const auto [stopped, error] = std::from_chars(start, end, writer);
  return error == std::errc() && stopped == end ? writer : 0;
}

}  // namespace

void WriteFileAtomically(const std::filesystem::path& path,
                         std::string_view content) {
  const std::filesystem::path temporary =
      path.parent_path() /
      ("." + path.filename().string() + kPart + std::to_string(getpid()));
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

void RemoveLeftovers(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const pid_t writer = WriterOf(entry.path().filename());
    if (writer > 0 && kill(writer, 0) != 0 && errno == ESRCH) {
      unlink(entry.path().c_str());
    }
  }
}

void SyncFolder(const std::filesystem::path& folder) {
  const Descriptor file(
      open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.value() >= 0) {
    fsync(file.value());  // some file systems cannot, and need not
  }
}

void SyncFileSystem(const std::filesystem::path& folder) {
  const Descriptor file(
      open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.value() < 0 || syncfs(file.value()) != 0) {
    ThrowWriteError(folder, errno);
  }
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
