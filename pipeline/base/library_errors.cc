#include "pipeline/base/library_errors.h"

#include "pipeline/base/system_call.h"

#include <filesystem>
#include <new>
#include <string>
#include <system_error>

namespace nerfpipe {

std::optional<UserError> AsUserError(const std::exception& error) {
  if (const auto* ours = dynamic_cast<const UserError*>(&error)) return *ours;
  if (const auto* of_file =
          dynamic_cast<const std::filesystem::filesystem_error*>(&error)) {
    const std::string other = of_file->path2().string();
    return UserError(of_file->path1().string() +
                         (other.empty() ? "" : " -> " + other) + ": " +
                         of_file->code().message(),
                     RemedyFor(of_file->code().value()));
  }
  if (const auto* of_system = dynamic_cast<const std::system_error*>(&error)) {
    return UserError("the system refuses (" + of_system->code().message() + ")",
                     RemedyFor(of_system->code().value()));
  }
  // Of TBB, which OpenCV runs on.
  if (std::string(error.what()).find("pthread_create") != std::string::npos) {
    return UserError("the system refuses a thread (" +
                         std::string(std::strerror(EAGAIN)) + ")",
                     RemedyFor(EAGAIN));
  }
  if (IsOutOfMemory(error)) {
    return UserError("memory ran out",
                     "close other programs, allow less with --mem, or train on "
                     "smaller images (--set train.factor=8)");
  }
  return std::nullopt;
}

}  // namespace nerfpipe
