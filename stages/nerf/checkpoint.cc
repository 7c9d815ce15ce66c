#include "stages/nerf/checkpoint.h"

#include "pipeline/base/error.h"
#include "pipeline/base/system_call.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <sstream>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <torch/serialize/archive.h>
#include <unistd.h>

namespace nerfpipe::nerf {
namespace {

constexpr char kMagic[] = "NERFPIPE";
constexpr uint64_t kVersion = 2;

struct Header {
  std::array<char, 8> magic;
  uint64_t version;
  uint64_t length;
  uint64_t checksum;
};
static_assert(sizeof(Header) == 32);

uint64_t Checksum(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < bytes.size(); i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, std::min<size_t>(8, bytes.size() - i));
    hash = (hash ^ word) * 0x100000001b3u;
    // The product only carries upwards; bring high bits down too.
    hash ^= hash >> 29;
  }
  return hash;
}

UserError Damaged(const std::filesystem::path& path, const std::string& what) {
  return UserError("the checkpoint " + path.string() + " " + what,
                   "remove it to train again from the start");
}

int OpenFile(const std::filesystem::path& path, int flags) {
  return Uninterrupted(
      [&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0644); });
}

// The whole file. LibTorch's own reading would take a disk that refuses for a
// damaged file.
std::string ReadWhole(const std::filesystem::path& path) {
  const int file = OpenFile(path, O_RDONLY);
  struct stat status = {};
  std::string bytes;
  ssize_t count = -1;
  if (file >= 0 && ::fstat(file, &status) == 0) {
    bytes.resize(static_cast<size_t>(status.st_size));
    size_t done = 0;
    do {
      count = Uninterrupted(
          [&] { return ::read(file, &bytes[done], bytes.size() - done); });
      done += count > 0 ? static_cast<size_t>(count) : 0;
    } while (count > 0);
    bytes.resize(done);
  }
  const int error = errno;
  if (file >= 0) ::close(file);
  if (count < 0 && error == ENOENT) {
    throw UserError("the checkpoint " + path.string() + " cannot be read",
                    "train first, or check the path");
  }
  if (count < 0) {
    ThrowSystemError("cannot read the checkpoint " + path.string(), error);
  }
  return bytes;
}

// Owns a file descriptor of the temporary file; removes the file unless kept.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& target)
      : target_(target), path_(target) {
    path_ += ".tmp" + std::to_string(::getpid());
    descriptor_ = OpenFile(path_, O_WRONLY | O_CREAT | O_TRUNC);
    if (descriptor_ < 0) {
      Fail(errno);
    }
  }
  ~TemporaryFile() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
    if (!kept_) {
      ::unlink(path_.c_str());
    }
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void Write(const char* data, size_t size) {
    while (size > 0) {
      const ssize_t written =
          Uninterrupted([&] { return ::write(descriptor_, data, size); });
      if (written <= 0) {
        Fail(errno);
      }
      data += written;
      size -= static_cast<size_t>(written);
    }
  }

  void MoveIntoPlace() {
    if (Uninterrupted([&] { return ::fsync(descriptor_); }) != 0 ||
        ::rename(path_.c_str(), target_.c_str()) != 0) {
      Fail(errno);
    }
    kept_ = true;
    // The rename itself; a folder that cannot be flushed loses nothing but
    // the newest checkpoint.
    const std::filesystem::path folder =
        target_.has_parent_path() ? target_.parent_path() : ".";
    const int directory = OpenFile(folder, O_RDONLY);
    if (directory >= 0) {
      ::fsync(directory);
      ::close(directory);
    }
  }

 private:
  [[noreturn]] void Fail(int error) const {
    ThrowSystemError("cannot write the checkpoint " + target_.string(), error);
  }

  std::filesystem::path target_;
  std::filesystem::path path_;
  int descriptor_ = -1;
  bool kept_ = false;
};

}  // namespace

void WriteCheckpoint(torch::serialize::OutputArchive& archive,
                     const std::filesystem::path& path) {
  std::ostringstream stream;
  archive.save_to(stream);
  const std::string bytes = stream.str();
  Header header;
  std::copy_n(kMagic, 8, header.magic.begin());
  header.version = kVersion;
  header.length = bytes.size();
  header.checksum = Checksum(bytes);

  TemporaryFile file(path);
  file.Write(reinterpret_cast<const char*>(&header), sizeof(header));
  file.Write(bytes.data(), bytes.size());
  file.MoveIntoPlace();
}

void ReadCheckpoint(torch::serialize::InputArchive& archive,
                    const std::filesystem::path& path,
                    torch::Device device) {
  const std::string bytes = ReadWhole(path);
  Header header;
  if (bytes.size() < sizeof(header) ||
      std::memcmp(bytes.data(), kMagic, 8) != 0) {
    throw Damaged(path, "is damaged or not a checkpoint of nerfpipe");
  }
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.version != kVersion) {
    throw Damaged(path, "is of another version of nerfpipe");
  }
  const std::string_view content =
      std::string_view(bytes).substr(sizeof(header));
  if (content.size() != header.length) {
    throw Damaged(path, "is cut short");
  }
  if (Checksum(content) != header.checksum) {
    throw Damaged(path, "is damaged");
  }
  try {
    archive.load_from(content.data(), content.size(), device);
  } catch (const c10::Error& error) {
    if (IsOutOfMemory(error)) throw;
    throw Damaged(path, "is damaged");
  }
}

}  // namespace nerfpipe::nerf
