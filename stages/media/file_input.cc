#include "stages/media/file_input.h"

#include "pipeline/base/system_call.h"

#include <cstdint>
#include <new>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

extern "C" {
#include <libavformat/avio.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
}

namespace nerfpipe {

struct FileInput::State {
  std::filesystem::path path;
  int file = -1;
  int refused = 0;  // errno of the first read that failed
  AVIOContext* context = nullptr;

  ~State() {
    if (context != nullptr) av_freep(&context->buffer);
    avio_context_free(&context);
    if (file >= 0) close(file);
  }
};

FileInput::FileInput(const std::filesystem::path& path)
    : state_(std::make_unique<State>()) {
  constexpr int kBuffer = 1 << 15;
  state_->path = path;
  state_->file =
      Uninterrupted([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  if (state_->file < 0) ThrowReadError(path, errno);
  const auto read_some = [](void* opaque, uint8_t* buffer, int size) {
    auto* state = static_cast<State*>(opaque);
    const ssize_t count = Uninterrupted(
        [&] { return read(state->file, buffer, static_cast<size_t>(size)); });
    if (count < 0 && state->refused == 0) state->refused = errno;
    return count < 0    ? AVERROR(errno)
           : count == 0 ? AVERROR_EOF
                        : static_cast<int>(count);
  };
  const auto seek = [](void* opaque, int64_t to, int whence) -> int64_t {
    const int file = static_cast<State*>(opaque)->file;
    if ((whence & AVSEEK_SIZE) != 0) {
      struct stat status = {};
      return fstat(file, &status) == 0 ? status.st_size : AVERROR(errno);
    }
    const off_t at = lseek(file, to, whence & ~AVSEEK_FORCE);
    return at < 0 ? AVERROR(errno) : at;
  };
  auto* buffer = static_cast<unsigned char*>(av_malloc(kBuffer));
  if (buffer != nullptr) {
    state_->context = avio_alloc_context(
        buffer, kBuffer, 0, state_.get(), read_some, nullptr, seek);
  }
  if (state_->context == nullptr) {
    av_free(buffer);
    throw std::bad_alloc();
  }
}

FileInput::~FileInput() = default;

AVIOContext* FileInput::context() const { return state_->context; }

void FileInput::ThrowIfRefused() const {
  if (state_->refused != 0) ThrowReadError(state_->path, state_->refused);
}

}  // namespace nerfpipe
