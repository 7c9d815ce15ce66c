#pragma once

// A file that FFmpeg reads through us: it takes what the system refuses for the
// end of the file, or for damage.

#include <filesystem>
#include <memory>

struct AVIOContext;

namespace nerfpipe {

class FileInput {
 public:
  // Throws UserError when it cannot be opened.
  explicit FileInput(const std::filesystem::path& path);
  ~FileInput();
  FileInput(const FileInput&) = delete;
  FileInput& operator=(const FileInput&) = delete;

  AVIOContext* context() const;
  // Throws MachineError when a read has failed so far.
  void ThrowIfRefused() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nerfpipe
