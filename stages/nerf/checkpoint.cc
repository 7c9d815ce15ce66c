#include "stages/nerf/checkpoint.h"

#include "pipeline/base/error.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include <fcntl.h>
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

uint64_t Checksum(const std::string& bytes) {
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

// Owns a file descriptor of the temporary file; removes the file unless kept.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& target)
      : target_(target), path_(target) {
    path_ += ".tmp" + std::to_string(::getpid());
    descriptor_ =
        ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor_ < 0) {
      Fail();
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
      const ssize_t written = ::write(descriptor_, data, size);
      if (written < 0 && errno == EINTR) {
        continue;
      }
      if (written <= 0) {
        Fail();
      }
      data += written;
      size -= static_cast<size_t>(written);
    }
  }

  void MoveIntoPlace() {
    const bool flushed = ::fsync(descriptor_) == 0;
    const bool closed = ::close(descriptor_) == 0;
    descriptor_ = -1;
    if (!flushed || !closed || ::rename(path_.c_str(), target_.c_str()) != 0) {
      Fail();
    }
    kept_ = true;
    // The rename itself; a folder that cannot be flushed loses nothing but
    // the newest checkpoint.
    const std::filesystem::path folder =
        target_.has_parent_path() ? target_.parent_path() : ".";
    const int directory = ::open(folder.c_str(), O_RDONLY | O_CLOEXEC);
    if (directory >= 0) {
      ::fsync(directory);
      ::close(directory);
    }
  }

 private:
  [[noreturn]] void Fail() const {
    throw UserError("the checkpoint " + target_.string() +
                        " cannot be written: " + std::strerror(errno),
                    "make room or choose another folder");
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
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw UserError("the checkpoint " + path.string() + " cannot be read",
                    "train first, or check the path");
  }
  Header header;
  if (!file.read(reinterpret_cast<char*>(&header), sizeof(header)) ||
      std::memcmp(header.magic.data(), kMagic, 8) != 0) {
    throw Damaged(path, "is damaged or not a checkpoint of nerfpipe");
  }
  if (header.version != kVersion) {
    throw Damaged(path, "is of another version of nerfpipe");
  }
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error || size != sizeof(header) + header.length) {
    throw Damaged(path, "is cut short");
  }
  std::string bytes(header.length, '\0');
  if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())) ||
      Checksum(bytes) != header.checksum) {
    throw Damaged(path, "is damaged");
  }
  try {
    archive.load_from(bytes.data(), bytes.size(), device);
  } catch (const c10::Error&) {
    throw Damaged(path, "is damaged");
  }
}

}  // namespace nerfpipe::nerf
