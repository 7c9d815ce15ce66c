#include "pipeline/base/atomic_file.h"

#include "pipeline/base/folders.h"
#include "pipeline/base/system_call.h"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nerfpipe {
namespace {

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

int OpenFile(const std::filesystem::path& path, int flags) {
  return Uninterrupted(
      [&] { return open(path.c_str(), flags | O_CLOEXEC, 0666); });
}

// False with errno when not all could be written.
bool WriteAll(int file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t count = Uninterrupted(
        [&] { return write(file, content.data(), content.size()); });
    if (count < 0) {
      return false;
    }
    content.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

// Flushes a folder or a file to the disk; false with errno when the disk
// refuses. Some file systems cannot flush a folder, and need not.
bool Flush(int file) {
  return Uninterrupted([&] { return fsync(file); }) == 0 || errno == EINVAL ||
         errno == ENOTSUP;
}

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
  const auto fail = [&](int error) {
    unlink(temporary.c_str());
    ThrowWriteError(path, error);
  };
  {
    const Descriptor file(OpenFile(temporary, O_WRONLY | O_CREAT | O_TRUNC));
    if (file.value() < 0) {
      ThrowWriteError(path, errno);
    }
    if (!WriteAll(file.value(), content) || !Flush(file.value())) {
      fail(errno);
    }
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    fail(errno);
  }
  SyncFolder(path.parent_path().empty() ? "." : path.parent_path());
}

void WriteFileAside(const std::filesystem::path& path,
                    std::string_view content) {
  const Descriptor file(OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC));
  if (file.value() < 0) {
    ThrowWriteError(path, errno);
  }
  if (!WriteAll(file.value(), content)) {
    const int error = errno;
    unlink(path.c_str());
    ThrowWriteError(path, error);
  }
}

void AppendToFile(const std::filesystem::path& path, std::string_view content) {
  const Descriptor file(OpenFile(path, O_WRONLY | O_CREAT | O_APPEND));
  if (file.value() < 0 || !WriteAll(file.value(), content)) {
    ThrowWriteError(path, errno);
  }
}

void RemoveLeftovers(const std::filesystem::path& folder) {
  for (const auto& entry : EntriesOf(folder)) {
    const pid_t writer = WriterOf(entry.path().filename());
    if (writer > 0 && kill(writer, 0) != 0 && errno == ESRCH) {
      unlink(entry.path().c_str());
    }
  }
}

void SyncFolder(const std::filesystem::path& folder) {
  const Descriptor file(OpenFile(folder, O_RDONLY | O_DIRECTORY));
  // One that we may not read is none that we could flush.
  const bool unreadable = file.value() < 0 && IsOfTheFile(errno);
  if (!unreadable && (file.value() < 0 || !Flush(file.value()))) {
    ThrowWriteError(folder, errno);
  }
}

void SyncFileSystem(const std::filesystem::path& folder) {
  const Descriptor file(OpenFile(folder, O_RDONLY | O_DIRECTORY));
  if (file.value() < 0 ||
      Uninterrupted([&] { return syncfs(file.value()); }) != 0) {
    ThrowWriteError(folder, errno);
  }
}

void ReadInParts(const std::filesystem::path& path,
                 const std::function<void(std::string_view)>& take) {
  const Descriptor file(OpenFile(path, O_RDONLY));
  if (file.value() < 0) {
    ThrowReadError(path, errno);
  }
  std::vector<char> buffer(1 << 18);
  while (true) {
    const ssize_t count = Uninterrupted(
        [&] { return read(file.value(), buffer.data(), buffer.size()); });
    if (count < 0) {
      ThrowReadError(path, errno);
    }
    if (count == 0) {
      return;
    }
    take({buffer.data(), static_cast<size_t>(count)});
  }
}

std::string ReadFile(const std::filesystem::path& path) {
  const Descriptor file(OpenFile(path, O_RDONLY));
  struct stat status = {};
  if (file.value() < 0 || fstat(file.value(), &status) != 0) {
    ThrowReadError(path, errno);
  }
  if (S_ISDIR(status.st_mode)) {
    throw UserError(path.string() + " is a folder", "give a file");
  }
  std::string content;
  content.reserve(static_cast<size_t>(status.st_size));
  char buffer[1 << 16];
  while (true) {
    const ssize_t count = Uninterrupted(
        [&] { return read(file.value(), buffer, sizeof(buffer)); });
    if (count < 0) {
      ThrowReadError(path, errno);
    }
    if (count == 0) {
      return content;
    }
    content.append(buffer, static_cast<size_t>(count));
  }
}

std::string ReadBeginning(const std::filesystem::path& path, size_t most) {
  const Descriptor file(OpenFile(path, O_RDONLY));
  if (file.value() < 0) {
    ThrowReadError(path, errno);
  }
  std::string content(most, '\0');
  size_t done = 0;
  while (done < most) {
    const ssize_t count = Uninterrupted(
        [&] { return read(file.value(), &content[done], most - done); });
    if (count < 0) {
      ThrowReadError(path, errno);
    }
    if (count == 0) {
      break;
    }
    done += static_cast<size_t>(count);
  }
  content.resize(done);
  return content;
}

}  // namespace nerfpipe
